use tongbao_core::job::NewJob;
use tongbao_core::{Job, Payment};
use tongbao_store::{Store, StoreError};

use super::people::*;
use super::stage::each_store;

async fn payment_with_shop(store: &impl Store) -> Payment {
    open_shop(store).await;
    let payment = payment(1);
    store.commit(created(&payment)).await.unwrap();
    payment
}

async fn claim(store: &impl Store, now: tongbao_core::Timestamp) -> Option<Job> {
    let mut claimed = store.claim_jobs(now, now + LEASE, 10).await.unwrap();
    assert!(claimed.len() <= 1);
    claimed.pop()
}

async fn a_job_waits_for_its_time(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    assert_eq!(store.next_due().await, Ok(None));
    ask(store, query(&payment, NOON + SECOND)).await;

    assert_eq!(store.next_due().await, Ok(Some(NOON + SECOND)));
    assert_eq!(claim(store, NOON).await, None);
    let job = claim(store, NOON + SECOND).await.unwrap();
    assert_eq!(job.key, query(&payment, NOON).key);
    assert_eq!(job.merchant, merchant());
}

async fn a_claimed_job_is_hidden_until_its_lease_ends(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;

    let first = claim(store, NOON).await.unwrap();
    assert_eq!(claim(store, NOON).await, None);
    assert_eq!(store.next_due().await, Ok(Some(NOON + LEASE)));
    let second = claim(store, NOON + LEASE).await.unwrap();
    assert_eq!(second.key, first.key);
    assert!(second.fence > first.fence);
}

async fn what_is_due_later_is_brought_forward_with_its_leases(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    let hour = SECOND * 3_600;
    ask(store, query(&payment, NOON)).await;
    let held = claim(store, NOON).await.unwrap();

    let now = NOON - hour;
    assert_eq!(store.bring_forward(hour, now).await, Ok(1));
    assert_eq!(store.next_due().await, Ok(Some(now + LEASE)));
    assert_eq!(claim(store, now).await, None);
    let next = claim(store, now + LEASE).await.unwrap();
    assert!(next.fence > held.fence);
    finish(store, next).await.unwrap();

    // What is due anyway is left as it is.
    ask(store, query(&payment, now)).await;
    assert_eq!(store.bring_forward(hour, now).await, Ok(0));
    assert_eq!(store.next_due().await, Ok(Some(now)));

    // What is laid aside waits for no clock.
    let hopeless = claim(store, now).await.unwrap();
    store.lay_aside(hopeless, None).await.unwrap();
    assert_eq!(store.bring_forward(hour, now).await, Ok(0));
}

async fn a_finished_job_is_gone(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();

    finish(store, job).await.unwrap();
    assert_eq!(claim(store, NOON + LEASE).await, None);
    assert_eq!(store.next_due().await, Ok(None));
    assert_eq!(finish(store, job).await, Err(StoreError::Fenced));
}

async fn a_late_worker_is_fenced_off(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let late = claim(store, NOON).await.unwrap();
    let holder = claim(store, NOON + LEASE).await.unwrap();

    assert_eq!(finish(store, late).await, Err(StoreError::Fenced));
    finish(store, holder).await.unwrap();
}

async fn a_late_worker_does_not_hold_the_lease_of_the_jobs_next_life(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let late = claim(store, NOON).await.unwrap();
    let holder = claim(store, NOON + LEASE).await.unwrap();
    finish(store, holder).await.unwrap();
    ask(store, query(&payment, NOON)).await;
    let next = claim(store, NOON + LEASE).await.unwrap();

    assert_eq!(finish(store, late).await, Err(StoreError::Fenced));
    finish(store, next).await.unwrap();
}

async fn a_job_that_is_laid_aside_is_due_again_then(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();
    let later = NOON + SECOND * 5;
    store.lay_aside(job, Some(later)).await.unwrap();

    assert_eq!(store.next_due().await, Ok(Some(later)));
    assert_eq!(claim(store, NOON + SECOND * 4).await, None);
    let again = claim(store, later).await.unwrap();
    assert_eq!(store.lay_aside(job, None).await, Err(StoreError::Fenced));
    finish(store, again).await.unwrap();
}

async fn a_job_that_is_laid_aside_for_good_waits_to_be_asked_for_or_taken_up(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    let (payment, change) = decided(&payment, started(1));
    store.commit(change).await.unwrap();
    let of_attempt = query(&payment, NOON);
    let later = NOON + LEASE * 10;
    let laid_aside = async || store.pulse(later).await.unwrap().jobs_laid_aside;
    for taken_up in [false, true] {
        ask(store, of_attempt).await;
        let job = claim(store, NOON).await.unwrap();
        store.lay_aside(job, None).await.unwrap();
        assert_eq!(laid_aside().await, 1);
        assert_eq!(claim(store, later).await, None);
        if taken_up {
            assert_eq!(store.take_up(id(7), NOON).await, Ok(0));
            assert_eq!(store.take_up(channel(), NOON).await, Ok(1));
        } else {
            ask(store, of_attempt).await;
        }
        assert_eq!(laid_aside().await, 0);
        let again = claim(store, NOON).await.unwrap();
        finish(store, again).await.unwrap();
    }
}

async fn a_job_that_was_asked_for_again_while_it_ran_is_not_laid_aside(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();
    ask(store, query(&payment, NOON + SECOND)).await;
    store.lay_aside(job, None).await.unwrap();
    assert!(claim(store, NOON + SECOND).await.is_some());
}

async fn asking_again_brings_a_job_forward_and_never_back(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON + LEASE)).await;
    ask(store, query(&payment, NOON + SECOND)).await;
    ask(store, query(&payment, NOON + LEASE)).await;

    assert_eq!(store.next_due().await, Ok(Some(NOON + SECOND)));
    let job = claim(store, NOON + SECOND).await.unwrap();
    finish(store, job).await.unwrap();
    assert_eq!(store.next_due().await, Ok(None));
}

async fn a_job_that_was_asked_for_again_while_it_ran_runs_again(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();
    ask(store, query(&payment, NOON)).await;

    // The lease is kept meanwhile.
    assert_eq!(claim(store, NOON).await, None);
    finish(store, job).await.unwrap();
    let again = claim(store, NOON).await.unwrap();
    finish(store, again).await.unwrap();
    assert_eq!(claim(store, NOON).await, None);
}

async fn a_running_job_that_is_asked_for_later_runs_again_later(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();
    ask(store, query(&payment, NOON + SECOND)).await;

    finish(store, job).await.unwrap();
    assert_eq!(claim(store, NOON).await, None);
    assert_eq!(store.next_due().await, Ok(Some(NOON + SECOND)));
}

async fn a_job_may_ask_for_its_own_next_run(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();

    let change = tongbao_store::Change {
        finish: Some(job),
        jobs: vec![query(&payment, NOON + LEASE)],
        ..Default::default()
    };
    store.commit(change).await.unwrap();
    assert_eq!(store.next_due().await, Ok(Some(NOON + LEASE)));
}

fn inline(payment: &Payment) -> NewJob {
    NewJob {
        lease_until: Some(NOON + LEASE),
        ..query(payment, NOON)
    }
}

async fn who_asks_may_run_it_himself(store: &impl Store) {
    let payment = payment_with_shop(store).await;

    let job = ask(store, inline(&payment)).await.unwrap();
    assert_eq!(claim(store, NOON).await, None);
    finish(store, job).await.unwrap();
    assert_eq!(claim(store, NOON + LEASE).await, None);
}

async fn when_who_asked_dies_the_worker_finds_the_job(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    let dead = ask(store, inline(&payment)).await.unwrap();

    let job = claim(store, NOON + LEASE).await.unwrap();
    assert_eq!(finish(store, dead).await, Err(StoreError::Fenced));
    finish(store, job).await.unwrap();
}

async fn a_job_that_waits_is_taken_over_by_who_asks(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON + LEASE)).await;

    let job = ask(store, inline(&payment)).await.unwrap();
    assert_eq!(claim(store, NOON).await, None);
    finish(store, job).await.unwrap();
    assert_eq!(store.next_due().await, Ok(None));
}

async fn a_job_that_another_holds_is_only_asked_for_again(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let holder = claim(store, NOON).await.unwrap();

    assert_eq!(ask(store, inline(&payment)).await, None);
    finish(store, holder).await.unwrap();
    assert!(claim(store, NOON).await.is_some());
}

async fn the_longest_due_comes_first(store: &impl Store) {
    open_shop(store).await;
    for number in 1..=5 {
        let payment = payment(number);
        store.commit(created(&payment)).await.unwrap();
        ask(
            store,
            query(
                &payment,
                NOON + SECOND * (10 - u32::try_from(number).unwrap()),
            ),
        )
        .await;
    }

    let later = NOON + LEASE;
    let claimed = store.claim_jobs(later, later + LEASE, 3).await.unwrap();
    let payments: Vec<_> = claimed.iter().map(|job| job.key.payment).collect();
    assert_eq!(payments, [id(5), id(4), id(3)]);
    let rest = store.claim_jobs(later, later + LEASE, 3).await.unwrap();
    assert_eq!(rest.len(), 2);
}

async fn what_refuses_a_change_refuses_its_jobs(store: &impl Store) {
    let payment = payment_with_shop(store).await;
    ask(store, query(&payment, NOON)).await;
    let job = claim(store, NOON).await.unwrap();
    finish(store, job).await.unwrap();

    let (_, mut change) = decided(&payment, started(1));
    change.finish = Some(job);
    change.jobs = vec![query(&payment, NOON)];
    assert_eq!(store.commit(change).await, Err(StoreError::Fenced));
    assert_eq!(store.next_due().await, Ok(None));
    assert_eq!(store.payment(merchant(), id(1)).await, Ok(Some(payment)));
}

each_store!(
    a_job_waits_for_its_time,
    a_claimed_job_is_hidden_until_its_lease_ends,
    a_finished_job_is_gone,
    what_is_due_later_is_brought_forward_with_its_leases,
    a_late_worker_is_fenced_off,
    a_late_worker_does_not_hold_the_lease_of_the_jobs_next_life,
    a_job_that_is_laid_aside_is_due_again_then,
    a_job_that_is_laid_aside_for_good_waits_to_be_asked_for_or_taken_up,
    a_job_that_was_asked_for_again_while_it_ran_is_not_laid_aside,
    asking_again_brings_a_job_forward_and_never_back,
    a_job_that_was_asked_for_again_while_it_ran_runs_again,
    a_running_job_that_is_asked_for_later_runs_again_later,
    a_job_may_ask_for_its_own_next_run,
    who_asks_may_run_it_himself,
    when_who_asked_dies_the_worker_finds_the_job,
    a_job_that_waits_is_taken_over_by_who_asks,
    a_job_that_another_holds_is_only_asked_for_again,
    the_longest_due_comes_first,
    what_refuses_a_change_refuses_its_jobs,
);
