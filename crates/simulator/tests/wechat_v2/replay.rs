//! The same again, from a seed or a snapshot.

use crate::common::code;
use crate::stage::Stage;

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_bytes() {
    let run = || {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 1));
        stage.pay(&code).unwrap();
        stage.pass(0)[0].request.body().clone()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_snapshot_goes_on_where_it_was_taken() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    let open = crate::common::code(&stage.place("T00002", 1));
    stage.pay(&code).unwrap();
    let sent = stage.pass(0);
    stage.answer(&sent[0], 500, b"");
    let snapshot = serde_json::to_string(&stage.platform).unwrap();
    stage.platform = serde_json::from_str(&snapshot).unwrap();

    assert_eq!(stage.state("T00001"), "SUCCESS");
    assert!(stage.pay(&open).is_ok());
    assert_eq!(stage.pass(15).len(), 2, "the repetition and the new one");
}
