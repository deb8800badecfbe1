//! The same targets for a fuzzer that sees which branches an input takes. `README.md` says how.
#![cfg(fuzzing)]

use tongbao_fuzz::{TARGETS, each_target};

macro_rules! guided {
    ($name:ident) => {
        #[test]
        fn $name() {
            let name = stringify!($name);
            let target = TARGETS.iter().find(|target| target.name == name);
            let run = target.expect("it is in the list").run;
            bolero::check!().for_each(run);
        }
    };
}

each_target!(guided);
