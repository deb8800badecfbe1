//! One thread, one clock, every task and every event in an order that the seed
//! decides.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use tongbao_core::Timestamp;

use crate::chance::Chance;

/// A process that can be killed: all of its tasks go at once.
pub type NodeId = u32;

type TaskId = u64;

/// What is planned for a moment.
enum Entry<E> {
    Wake(Waker),
    Event(E),
}

struct State<E> {
    now: Timestamp,
    next: u64,
    agenda: BTreeMap<(Timestamp, u64), Entry<E>>,
    ready: Vec<TaskId>,
    newborn: Vec<(NodeId, BoxFuture<'static, ()>)>,
    /// When something went wrong.
    faults: Vec<Timestamp>,
}

/// The shared part: what tasks and events can reach.
pub struct Kernel<E> {
    state: Mutex<State<E>>,
}

/// What the scheduler did.
pub enum Turn<E> {
    /// Ran a task up to its next await. Its node could die here.
    Polled(NodeId),
    /// Time moved to this event.
    Event(E),
    /// Nothing is left to do before the deadline.
    Idle,
}

impl<E: Send + 'static> Kernel<E> {
    /// A world that begins at `now`.
    pub fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                now,
                next: 0,
                agenda: BTreeMap::new(),
                ready: Vec::new(),
                newborn: Vec::new(),
                faults: Vec::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.lock().now
    }

    /// Passes on whether something goes wrong, and notes it when it does.
    pub fn count(&self, fault: bool) -> bool {
        if fault {
            let mut state = self.lock();
            let now = state.now;
            state.faults.push(now);
        }
        fault
    }

    /// How often something went wrong.
    pub fn faults(&self) -> u64 {
        self.lock().faults.len() as u64
    }

    /// Whether nothing went wrong between two moments.
    pub fn was_quiet(&self, from: Timestamp, to: Timestamp) -> bool {
        let faults = &self.lock().faults;
        let first = faults.partition_point(|at| *at < from);
        faults.get(first).is_none_or(|at| *at > to)
    }

    /// Plans an event.
    pub fn after(&self, wait: Duration, event: E) {
        let mut state = self.lock();
        let key = (state.now + wait, state.next);
        state.next += 1;
        state.agenda.insert(key, Entry::Event(event));
    }

    /// Waits on the world's clock.
    pub fn sleep(self: &Arc<Self>, wait: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            kernel: self.clone(),
            until: self.now() + wait,
            planned: None,
        })
    }

    /// Starts a task of a node.
    pub fn spawn(&self, node: NodeId, task: impl Future<Output = ()> + Send + 'static) {
        self.lock().newborn.push((node, Box::pin(task)));
    }
}

struct Sleep<E> {
    kernel: Arc<Kernel<E>>,
    until: Timestamp,
    planned: Option<((Timestamp, u64), Waker)>,
}

impl<E: Send + 'static> Future for Sleep<E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let kernel = self.kernel.clone();
        let mut state = kernel.lock();
        let over = state.now >= self.until;
        if let Some((key, waker)) = &self.planned {
            // Polled because something else happened.
            if !over && waker.will_wake(context.waker()) {
                return Poll::Pending;
            }
            state.agenda.remove(key);
            self.planned = None;
        }
        if over {
            return Poll::Ready(());
        }
        let (key, waker) = ((self.until, state.next), context.waker().clone());
        state.next += 1;
        state.agenda.insert(key, Entry::Wake(waker.clone()));
        self.planned = Some((key, waker));
        Poll::Pending
    }
}

impl<E> Drop for Sleep<E> {
    fn drop(&mut self) {
        if let Some((key, _)) = self.planned.take() {
            let mut state = self
                .kernel
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            state.agenda.remove(&key);
        }
    }
}

struct Ring<E> {
    task: TaskId,
    kernel: Arc<Kernel<E>>,
}

impl<E: Send + 'static> Wake for Ring<E> {
    fn wake(self: Arc<Self>) {
        let mut state = self.kernel.lock();
        if !state.ready.contains(&self.task) {
            state.ready.push(self.task);
        }
    }
}

struct Task {
    node: NodeId,
    future: BoxFuture<'static, ()>,
    waker: Waker,
    priority: i64,
}

/// Which of several ready tasks comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any, each time anew.
    Any,
    /// The one with the highest priority, which is drawn at its birth and lost at
    /// few points of its life: some tasks wait long while others go on (PCT,
    /// "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs").
    Priorities,
}

/// So often a task loses its priority at a turn of its own.
const PERCENT_DEMOTED: u32 = 2;

/// Runs tasks and events, one at a time.
pub struct Scheduler<E> {
    kernel: Arc<Kernel<E>>,
    chance: Chance,
    order: Order,
    /// Below every priority that a task was born with.
    lowest: i64,
    tasks: BTreeMap<TaskId, Task>,
    next: TaskId,
}

impl<E: Send + 'static> Scheduler<E> {
    /// A scheduler that picks the next of several ready tasks by `chance`, in
    /// that order.
    pub fn new(kernel: Arc<Kernel<E>>, chance: Chance, order: Order) -> Self {
        Self {
            kernel,
            chance,
            order,
            lowest: 0,
            tasks: BTreeMap::new(),
            next: 0,
        }
    }

    /// One step: a ready task up to its next await, else the next thing on the
    /// agenda, if it is not later than `deadline`.
    pub fn turn(&mut self, deadline: Timestamp) -> Turn<E> {
        let kernel = self.kernel.clone();
        loop {
            let mut state = kernel.lock();
            self.adopt(&mut state);
            if !state.ready.is_empty() {
                let place = self.next_of(&state.ready);
                let id = state.ready.remove(place);
                drop(state);
                if let Some(node) = self.poll(id) {
                    return Turn::Polled(node);
                }
                continue;
            }
            let Some(first) = state.agenda.first_entry() else {
                return Turn::Idle;
            };
            let (at, _) = *first.key();
            if at > deadline {
                return Turn::Idle;
            }
            let entry = first.remove();
            state.now = state.now.max(at);
            drop(state);
            match entry {
                Entry::Wake(waker) => waker.wake(),
                Entry::Event(event) => return Turn::Event(event),
            }
        }
    }

    /// The node dies between two instructions: what is not in a store is gone.
    pub fn kill(&mut self, node: NodeId) {
        let kernel = self.kernel.clone();
        self.adopt(&mut kernel.lock());
        self.tasks.retain(|_, task| task.node != node);
    }

    fn adopt(&mut self, state: &mut State<E>) {
        for (node, future) in std::mem::take(&mut state.newborn) {
            let id = self.next;
            self.next += 1;
            let waker = Waker::from(Arc::new(Ring {
                task: id,
                kernel: self.kernel.clone(),
            }));
            let task = Task {
                node,
                future,
                waker,
                priority: self.chance.between(1, u64::from(u32::MAX)).cast_signed(),
            };
            self.tasks.insert(id, task);
            state.ready.push(id);
        }
    }

    /// The place of the ready task whose turn it is.
    fn next_of(&mut self, ready: &[TaskId]) -> usize {
        if self.order == Order::Any {
            return self.chance.index(ready.len());
        }
        let priority = |id: &TaskId| self.tasks.get(id).map_or(i64::MAX, |task| task.priority);
        let place = (0..ready.len()).max_by_key(|place| priority(&ready[*place]));
        let place = place.unwrap_or_default();
        if self.chance.percent(PERCENT_DEMOTED)
            && let Some(task) = self.tasks.get_mut(&ready[place])
        {
            self.lowest -= 1;
            task.priority = self.lowest;
        }
        place
    }

    fn poll(&mut self, id: TaskId) -> Option<NodeId> {
        let task = self.tasks.get_mut(&id)?;
        let node = task.node;
        let mut context = Context::from_waker(&task.waker);
        if task.future.as_mut().poll(&mut context).is_ready() {
            self.tasks.remove(&id);
        }
        Some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_when_nobody_is_ready() {
        let kernel = Kernel::<&str>::new(Timestamp::from_secs(0));
        let mut scheduler = Scheduler::new(kernel.clone(), Chance::fork(1, "test"), Order::Any);
        let inner = kernel.clone();
        kernel.spawn(1, async move {
            inner.sleep(Duration::from_mins(1)).await;
            inner.after(Duration::from_mins(1), "after");
        });
        let mut events = Vec::new();
        loop {
            match scheduler.turn(Timestamp::from_secs(1_000)) {
                Turn::Polled(_) => {}
                Turn::Event(event) => events.push((event, kernel.now().as_secs())),
                Turn::Idle => break,
            }
        }
        assert_eq!(events, [("after", 120)]);
    }

    #[test]
    fn a_killed_node_does_nothing_more() {
        let kernel = Kernel::<&str>::new(Timestamp::from_secs(0));
        let mut scheduler = Scheduler::new(kernel.clone(), Chance::fork(1, "test"), Order::Any);
        let inner = kernel.clone();
        kernel.spawn(1, async move {
            inner.sleep(Duration::from_mins(1)).await;
            inner.after(Duration::ZERO, "never");
        });
        assert!(matches!(
            scheduler.turn(Timestamp::from_secs(0)),
            Turn::Polled(1)
        ));
        scheduler.kill(1);
        assert!(matches!(
            scheduler.turn(Timestamp::from_secs(1_000)),
            Turn::Idle
        ));
    }
}
