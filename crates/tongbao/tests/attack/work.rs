//! X6, B19: a stranger's message costs us no write, no question, and no memory
//! that stays.

use tongbao::attack;

use crate::world::{Placed, World};

/// So many refused messages of one account are kept, and logged, in a minute.
const KEPT: i64 = 20;

#[test]
fn a_flood_of_forgeries_writes_and_asks_nothing() {
    let mut world = World::open("flood");
    // Nothing else is to be done in this gateway, so that it has nothing to write.
    let channels = world.get("/v1/channels");
    let id = channels["data"][0]["id"].as_str().unwrap();
    let nobodys = Placed {
        id: String::new(),
        out_trade_no: "T00000000000000001".to_owned(),
        code: String::new(),
        notify: format!("/notify/{id}"),
        channel: "signature",
    };
    let messages: Vec<_> = attack::forgeries(&World::target(&nobodys))
        .into_iter()
        .filter(|row| row.must == attack::Must::Refuse && row.body.len() < 4_096)
        .collect();
    let strike = |world: &mut World, times: usize| {
        for row in messages.iter().cycle().take(times) {
            let target = format!("{}{}", nobodys.notify, row.query);
            let headers: Vec<_> = row.headers().collect();
            let answer = world.client.send("POST", &target, &headers, &row.body);
            assert!(
                !attack::is_success(answer.status, &answer.body),
                "{}",
                row.id
            );
        }
    };
    // The first are kept as evidence, and the allocator warms up.
    strike(&mut world, 2_000);
    let said = String::from_utf8(world.home.log()).unwrap();
    let lines = said.matches("notification refused").count();
    assert!((1..=2 * 20).contains(&lines), "{lines} lines in the log");
    let kept = "SELECT count(*) FROM inbox WHERE verdict = 'refused'";
    let sample = world.database.count(kept);
    assert!((1..=2 * KEPT).contains(&sample), "{sample} are kept");
    let (commits, memory) = (world.database.version(), world.gateway.memory_kib());

    strike(&mut world, 4_000);
    let new = world.database.count(kept) - sample;
    // A minute may have ended in between; then the next sample was kept.
    assert!(new == 0 || new <= KEPT, "{new} more are kept");
    if new == 0 {
        assert_eq!(world.database.version(), commits, "something was committed");
    }
    let asked = world
        .simulator
        .look(|platform, _| platform.journal().count());
    assert_eq!(asked, 0, "the platform was asked");
    let grown = world.gateway.memory_kib().saturating_sub(memory);
    assert!(grown < 4 * 1024, "{grown} KiB more after 4,000 messages");

    let order = world.order("T1", "signature");
    world.pay(&order);
}

/// Addresses of nobody's are not written down either.
#[test]
fn a_flood_to_unknown_accounts_writes_nothing() {
    let mut world = World::open("nobody");
    let strike = |world: &mut World, accounts: std::ops::Range<u32>| {
        for n in accounts {
            let path = format!("/notify/chn_01kb2v7q4w8z3n5m6r7t9x{n:04}");
            let answer = world.tell(&path, b"<xml></xml>");
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
    };
    strike(&mut world, 0..2_000);
    let (commits, memory) = (world.database.version(), world.gateway.memory_kib());
    strike(&mut world, 2_000..6_000);
    assert_eq!(world.database.version(), commits, "something was committed");
    let grown = world.gateway.memory_kib().saturating_sub(memory);
    assert!(grown < 4 * 1024, "{grown} KiB more after 4,000 messages");

    let order = world.order("T1", "signature");
    world.pay(&order);
}
