//! A [`Machine`] as one of SQLite's file systems.
#![expect(
    unsafe_code,
    reason = "SQLite calls a file system through C pointers; here they become calls of the machine"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use tongbao_store::sqlite::FileSystem;

use crate::machine::{Answer, HandleId, Machine, Region};
use crate::medium::FileId;

/// A machine whose disk SQLite knows by a name.
pub struct Disk {
    machine: Arc<Mutex<Machine>>,
    name: String,
    vfs: usize,
}

impl Disk {
    /// Registers the machine under a name of its own.
    pub fn new(machine: Machine) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tongbao-disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let machine = Arc::new(Mutex::new(machine));
        let vfs = register(&name, Arc::downgrade(&machine));
        Self { machine, name, vfs }
    }

    /// By this name SQLite opens files on it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn weak(&self) -> Weak<Mutex<Machine>> {
        Arc::downgrade(&self.machine)
    }

    /// The same as the store's file system.
    pub fn files(&self) -> impl FileSystem + use<> {
        Files {
            machine: self.weak(),
            name: self.name.clone(),
        }
    }

    /// The machine.
    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        locked(&self.machine)
    }
}

struct Files {
    machine: Weak<Mutex<Machine>>,
    name: String,
}

impl FileSystem for Files {
    fn vfs(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn rewrite(&self, path: &Path) -> io::Result<()> {
        let gone = || io::Error::other("the disk is gone");
        let machine = self.machine.upgrade().ok_or_else(gone)?;
        let rewritten = locked(&machine).rewrite(&path.to_string_lossy());
        rewritten.map_err(|code| io::Error::other(ffi::code_to_str(code)))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let vfs = self.vfs as *mut sqlite3_vfs;
        // SAFETY: it was registered, and it is never freed: a connection that
        // outlives the disk finds a machine that is gone.
        unsafe { ffi::sqlite3_vfs_unregister(vfs) };
    }
}

pub(crate) fn locked(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `pAppData` points to.
type App = Weak<Mutex<Machine>>;

fn register(name: &str, app: App) -> usize {
    let name = CString::new(name).unwrap_or_default();
    let vfs = Box::leak(Box::new(sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<Handle>()).unwrap_or(c_int::MAX),
        mxPathname: 512,
        pNext: std::ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: Box::into_raw(Box::new(app)).cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    let vfs: *mut sqlite3_vfs = vfs;
    // SAFETY: it lives as long as the program.
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a file system");
    vfs as usize
}

/// What SQLite keeps for an opened file.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    open: *mut Open,
}

/// What we keep for it.
struct Open {
    machine: Arc<Mutex<Machine>>,
    boot: u64,
    handle: HandleId,
    file: FileId,
    log: bool,
    /// Its directory is synced with its first sync: the product's file system
    /// does that for a log or a journal, whether or not it was there before.
    name_unsynced: bool,
    /// Kept alive as long as SQLite may look at them.
    regions: Vec<Region>,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn code(answer: Answer<()>) -> c_int {
    answer.err().unwrap_or(ffi::SQLITE_OK)
}

fn size(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or_default()
}

/// SAFETY: `vfs` must be one that `register` made.
unsafe fn machine_of(vfs: *mut sqlite3_vfs) -> Option<Arc<Mutex<Machine>>> {
    // SAFETY: `register` put it there, and nobody takes it away.
    let app = unsafe { &*(*vfs).pAppData.cast::<App>() };
    app.upgrade()
}

/// SAFETY: `file` must be one that `open` has opened and `close` has not closed.
unsafe fn opened<'a>(file: *mut sqlite3_file) -> &'a mut Open {
    // SAFETY: `open` put it there; SQLite uses a file from one thread at a time.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

/// Does something with the machine, when the process that has the file open is
/// still alive.
///
/// SAFETY: as `opened`.
unsafe fn with<T>(
    file: *mut sqlite3_file,
    act: impl FnOnce(&mut Machine, &mut Open) -> Answer<T>,
) -> Answer<T> {
    // SAFETY: the caller's.
    let open = unsafe { opened(file) };
    let machine = open.machine.clone();
    let mut machine = locked(&machine);
    machine.alive(open.boot)?;
    act(&mut machine, open)
}

/// SAFETY: `name` is null or a C string.
unsafe fn text(name: *const c_char) -> String {
    if name.is_null() {
        return String::new();
    }
    // SAFETY: the caller's.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives us room for a handle, and takes no methods for a file
    // that was not opened.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: SQLite calls with what it was given at registration.
    let Some(machine) = (unsafe { machine_of(vfs) }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: SQLite names files with C strings.
    let name = unsafe { text(name) };
    let mut there = locked(&machine);
    let boot = there.boot();
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let opened = there.alive(boot).and_then(|()| there.open(&name, create));
    drop(there);
    let (handle, id) = match opened {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    let open = Box::new(Open {
        machine,
        boot,
        handle,
        file: id,
        log: flags & ffi::SQLITE_OPEN_WAL != 0,
        name_unsynced: create && flags & journals != 0,
        regions: Vec::new(),
    });
    // SAFETY: there is room for a handle, and for the flags if they are wanted.
    unsafe {
        (*file.cast::<Handle>()).open = Box::into_raw(open);
        (*file).pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: it was opened, and SQLite does not use it again.
    let open = unsafe { Box::from_raw((*file.cast::<Handle>()).open) };
    locked(&open.machine).close(open.handle);
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's own pointers.
    let (Some(machine), name) = (unsafe { (machine_of(vfs), text(name)) }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let mut machine = locked(&machine);
    let boot = machine.boot();
    code(
        machine
            .alive(boot)
            .and_then(|()| machine.delete(&name, sync != 0)),
    )
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's own pointers.
    let (machine, name) = unsafe { (machine_of(vfs), text(name)) };
    let exists = machine.is_some_and(|machine| locked(&machine).exists(&name));
    // SAFETY: SQLite's own pointer.
    unsafe { *out = c_int::from(exists) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a C string.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > size(room) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has room for so many.
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `out` has room for `len`.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), size(len)) };
    // SAFETY: SQLite's own pointer.
    if let Some(machine) = unsafe { machine_of(vfs) } {
        locked(&machine).chance().fill(out);
    }
    len
}

unsafe extern "C" fn sleep(vfs: *mut sqlite3_vfs, micros: c_int) -> c_int {
    // SAFETY: SQLite's own pointer.
    if let Some(machine) = unsafe { machine_of(vfs) } {
        locked(&machine).sleep(micros);
    }
    micros
}

unsafe extern "C" fn current_time(vfs: *mut sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: SQLite's own pointer.
    let millis = unsafe { machine_of(vfs) }.map_or(0, |machine| locked(&machine).millis());
    // SAFETY: SQLite's own pointer.
    unsafe { *out = millis };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, out: *mut c_void, len: c_int, at: i64) -> c_int {
    // SAFETY: `out` has room for `len`.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), size(len)) };
    // SAFETY: SQLite reads from files that are open.
    code(unsafe { with(file, |machine, open| machine.read(open.file, size(at), out)) })
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: i64,
) -> c_int {
    // SAFETY: there are `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), size(len)) };
    // SAFETY: SQLite writes to files that are open.
    code(unsafe {
        with(file, |machine, open| {
            machine.write(open.file, size(at), bytes)
        })
    })
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: i64) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { with(file, |machine, open| machine.truncate(open.file, size(len))) })
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let synced = unsafe {
        with(file, |machine, open| {
            machine.sync(open.file, open.log, open.name_unsynced)?;
            open.name_unsynced = false;
            Ok(())
        })
    };
    code(synced)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: the file is open.
    let len = unsafe { with(file, |machine, open| Ok(machine.len(open.file))) };
    match len {
        Ok(len) => {
            // SAFETY: SQLite's own pointer.
            unsafe { *out = i64::try_from(len).unwrap_or(i64::MAX) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { with(file, |machine, open| machine.lock(open.handle, level)) })
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    code(unsafe {
        with(file, |machine, open| {
            machine.unlock(open.handle, level);
            Ok(())
        })
    })
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: the file is open.
    let reserved = unsafe { with(file, |machine, open| Ok(machine.is_reserved(open.file))) };
    // SAFETY: SQLite's own pointer.
    unsafe { *out = c_int::from(reserved == Ok(true)) };
    code(reserved.map(|_| ()))
}

unsafe extern "C" fn file_control(
    _: *mut sqlite3_file,
    what: c_int,
    argument: *mut c_void,
) -> c_int {
    if what == ffi::SQLITE_FCNTL_MMAP_SIZE {
        // SAFETY: for this question SQLite gives a number of this size.
        unsafe { *argument.cast::<i64>() = 0 };
        return ffi::SQLITE_OK;
    }
    ffi::SQLITE_NOTFOUND
}

/// The same two answers as the file system of the product gives.
unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    place: c_int,
    len: c_int,
    _extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is open.
    let region = unsafe {
        with(file, |machine, open| {
            let region = machine.shared(open.file, size(place), size(len));
            open.regions.push(region.clone());
            Ok(region)
        })
    };
    match region {
        Ok(region) => {
            // SAFETY: SQLite's own pointer. The region lives until the file is
            // closed, and whoever writes to it does so atomically or under a lock.
            unsafe { *out = region.as_ptr().cast_mut().cast() };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let slots = ((1_u16 << count) - 1) << first;
    // SAFETY: the file is open.
    code(unsafe {
        with(file, |machine, open| {
            if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
                machine.unlock_shared(open.handle, slots);
                return Ok(());
            }
            let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
            machine.lock_shared(open.handle, slots, exclusive)
        })
    })
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite3_file) {
    std::sync::atomic::fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: the file is open, and SQLite does not look at its regions again.
    let open = unsafe { opened(file) };
    open.regions.clear();
    let mut machine = locked(&open.machine);
    if machine.alive(open.boot).is_ok() {
        machine.unlock_shared(open.handle, u16::MAX);
        if delete != 0 {
            machine.forget_shared(open.file);
        }
    }
    ffi::SQLITE_OK
}
