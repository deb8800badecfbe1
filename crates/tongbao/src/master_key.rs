//! The key that seals all secrets, kept outside the database.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tongbao_engine::Mint;
use zeroize::Zeroizing;

use crate::config::Config;

/// 32 random bytes.
pub type MasterKey = Zeroizing<[u8; 32]>;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Neither 44 characters of base64 nor anything close.
    #[error(
        "{place} does not hold a master key (32 bytes in base64, 44 characters); put the right one \
         back. Nothing was changed"
    )]
    NotAKey {
        /// The file or the variable.
        place: String,
    },
    /// Others may read it.
    #[error(
        "{} may be read by others (mode {mode:o}); run: chmod 600 {}",
        path.display(),
        path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is a database, so there was a key.
    #[error(
        "{} is missing, but there is a database that was sealed with it; put the file back, or set \
         {variable}. A new key would not open the secrets",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The environment variable that would do as well.
        variable: String,
    },
    /// The system does not let us.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// The key from the environment variable when that is set, else from the file;
/// made and written when there is neither a file nor a database yet.
pub fn load(config: &Config, mint: &dyn Mint) -> Result<MasterKey, MasterKeyError> {
    load_or(config, in_environment(config), mint)
}

/// The key from where [`load`] has it; `None` when there is none. Makes nothing.
pub fn find(config: &Config) -> Result<Option<MasterKey>, MasterKeyError> {
    if let Some(text) = in_environment(config) {
        return from_environment(config, text).map(Some);
    }
    match read(&config.key_file()) {
        Err(MasterKeyError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        read => read.map(Some),
    }
}

fn in_environment(config: &Config) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable's name comes from the config"
    )]
    std::env::var(&config.key.env).ok()
}

fn from_environment(config: &Config, text: String) -> Result<MasterKey, MasterKeyError> {
    let text = Zeroizing::new(text);
    parse(&text).ok_or_else(|| MasterKeyError::NotAKey {
        place: config.key.env.clone(),
    })
}

fn load_or(
    config: &Config,
    in_environment: Option<String>,
    mint: &dyn Mint,
) -> Result<MasterKey, MasterKeyError> {
    if let Some(text) = in_environment {
        return from_environment(config, text);
    }
    let path = config.key_file();
    match read(&path) {
        Err(MasterKeyError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            if crate::data_dir::database(&config.data_dir).exists() {
                return Err(MasterKeyError::Missing {
                    path,
                    variable: config.key.env.clone(),
                });
            }
            make(&path, mint)
        }
        read => read,
    }
}

fn read(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let failed = |error| MasterKeyError::Io {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Readable {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(128));
    file.take(128).read_to_end(&mut text).map_err(failed)?;
    std::str::from_utf8(&text)
        .ok()
        .and_then(parse)
        .ok_or_else(|| MasterKeyError::NotAKey {
            place: path.display().to_string(),
        })
}

/// Written aside, then moved to its place: no crash leaves half a key there.
fn make(path: &Path, mint: &dyn Mint) -> Result<MasterKey, MasterKeyError> {
    let failed = |error| MasterKeyError::Io {
        path: path.to_owned(),
        error,
    };
    let mut key = MasterKey::default();
    mint.fill(&mut *key);
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*key)));
    let aside = path.with_extension("new");
    let _ = std::fs::remove_file(&aside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    std::fs::rename(&aside, path).map_err(failed)?;
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    File::open(parent.unwrap_or(Path::new(".")))
        .and_then(|dir| dir.sync_all())
        .map_err(failed)?;
    tracing::info!(path = %path.display(), "made a master key; keep a copy of it in a safe place");
    Ok(key)
}

fn parse(text: &str) -> Option<MasterKey> {
    let mut key = MasterKey::default();
    // The decoder wants room for a padded block more than 32 bytes.
    let mut room = Zeroizing::new([0; 36]);
    let length = STANDARD.decode_slice(text.trim_ascii(), &mut *room).ok()?;
    let bytes = room
        .get(..length)
        .filter(|bytes| bytes.len() == key.len())?;
    key.copy_from_slice(bytes);
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::seams::OsMint;

    fn config(dir: &tempfile::TempDir) -> Config {
        Config {
            data_dir: dir.path().to_owned(),
            ..Config::default()
        }
    }

    fn load(config: &Config) -> Result<MasterKey, MasterKeyError> {
        load_or(config, None, &OsMint::default())
    }

    #[test]
    fn the_first_start_makes_a_key_that_only_its_owner_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let made = load(&config(&dir)).unwrap();
        assert_ne!(*made, [0; 32]);
        assert_eq!(
            config(&dir).key_file().metadata().unwrap().mode() & 0o777,
            0o600
        );
        assert_eq!(
            *load(&config(&dir)).unwrap(),
            *made,
            "the second start reads it"
        );
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        load(&config(&dir)).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o644] {
            set_permissions(config(&dir).key_file(), Permissions::from_mode(mode)).unwrap();
            let error = load(&config(&dir)).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn half_a_key_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        load(&config(&dir)).unwrap();
        let path = config(&dir).key_file();
        let whole = std::fs::read_to_string(&path).unwrap();
        for text in [
            "",
            "\n",
            &whole[..22],
            &whole.repeat(2),
            "not base64 at all!",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = load(&config(&dir)).unwrap_err();
            assert!(
                matches!(error, MasterKeyError::NotAKey { .. }),
                "{text:?}: {error}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn no_new_key_is_made_for_an_old_database() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(crate::data_dir::database(dir.path()), "").unwrap();
        let error = load(&config(&dir)).unwrap_err();
        assert!(matches!(error, MasterKeyError::Missing { .. }), "{error}");
        assert!(!config(&dir).key_file().exists());
    }

    #[test]
    fn the_environment_is_above_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let text = STANDARD.encode([7; 32]);
        let load = |text: &str| load_or(&config(&dir), Some(text.to_owned()), &OsMint::default());
        assert_eq!(*load(&text).unwrap(), [7; 32]);
        assert!(!config(&dir).key_file().exists(), "nothing is written");

        let error = load("hunter2").unwrap_err().to_string();
        assert!(
            error.contains("TONGBAO_KEY") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
