//! Secrets at rest: what was not sealed here, for this place, does not open.
//!
//! An input is a sealed value; or, put over the genuine one from its first byte on, a change of
//! it.

use tongbao_core::id::Id;
use tongbao_core::webhook::Endpoint;
use tongbao_core::{EndpointId, MerchantId};

use crate::gateway::Gateway;

/// Versions and lengths.
pub const WORDS: &[&str] = &[
    "\u{1}",
    "\u{0}",
    "\u{2}",
    "\u{1}\u{0}\u{0}\u{0}\u{0}",
    "whsec_",
];

/// See the module.
pub fn run(input: &[u8]) {
    thread_local! {
        static SEALED: (Gateway, Endpoint) = sealed();
    }
    SEALED.with(|(gateway, genuine)| {
        let opens = |change: &dyn Fn(&mut Endpoint)| {
            let mut endpoint = genuine.clone();
            change(&mut endpoint);
            gateway.engine.endpoint_secret(&endpoint).is_ok()
        };
        assert!(opens(&|_| {}));
        let changed = |sealed: Vec<u8>| {
            let same = sealed == genuine.sealed_secret;
            assert_eq!(
                opens(&|endpoint| endpoint.sealed_secret.clone_from(&sealed)),
                same
            );
        };
        changed(input.to_vec());
        let mut over = genuine.sealed_secret.clone();
        for (place, byte) in over.iter_mut().zip(input) {
            *place ^= byte;
        }
        changed(over);
        let cut = input.first().map_or(0, |byte| usize::from(*byte));
        changed(genuine.sealed_secret.iter().copied().take(cut).collect());
        changed([&*genuine.sealed_secret, input].concat());
        if let Some(bytes) = input.first_chunk::<16>() {
            let other = u128::from_le_bytes(*bytes);
            let (id, merchant) = (EndpointId::from_bits(other), MerchantId::from_bits(other));
            assert_eq!(opens(&|endpoint| endpoint.id = id), id == genuine.id);
            assert_eq!(
                opens(&|endpoint| endpoint.merchant = merchant),
                merchant == genuine.merchant
            );
        }
    });
}

fn sealed() -> (Gateway, Endpoint) {
    let gateway = Gateway::open();
    let body = serde_json::json!({"url": "https://shop.test/webhooks"});
    gateway.make("/v1/webhook_endpoints", &body);
    let store = gateway.engine.store().clone();
    let endpoints = gateway.ask(store.endpoints(gateway.merchant.id));
    let endpoint = endpoints.expect("a list").remove(0);
    (gateway, endpoint)
}
