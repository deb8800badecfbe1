//! What a notification costs before anything is stored: reading, verifying, understanding.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tongbao_wire::wechat_v2::notification::{Acknowledgement, Notification};
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

fn notification(c: &mut Criterion) {
    let key = ApiKey::new("GatewayTestKeyForVectors00000001").expect("a key of 32 characters");
    let mut fields: Fields<'_> = FIELDS.iter().copied().collect();
    fields.sort();
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        sign::insert_sign(&mut fields, &key, sign_type);
        let body = fields.write_lines();
        let mut group = c.benchmark_group(sign_type.as_str());
        group.bench_function("read", |b| {
            b.iter(|| Fields::read(black_box(body.as_bytes())));
        });
        group.bench_function("read and verify", |b| {
            b.iter(|| {
                let fields = Fields::read(black_box(body.as_bytes())).expect("well-formed");
                sign::verify(&fields, &key, sign_type)
            });
        });
        group.bench_function("read, verify and understand", |b| {
            b.iter(|| {
                let fields = Fields::read(black_box(body.as_bytes())).expect("well-formed");
                sign::verify(&fields, &key, sign_type).expect("genuine");
                Notification::from_fields(&fields)
            });
        });
    }
    c.bench_function("answer", |b| {
        b.iter(|| black_box(Acknowledgement::Success).to_fields().write());
    });
}

const FIELDS: &[(&str, &str)] = &[
    ("appid", "wx8888888888888888"),
    ("attach", "att_01JD8Z2Q5W7K9M3N4P6R8S0T1V"),
    ("bank_type", "OTHERS"),
    ("cash_fee", "888"),
    ("fee_type", "CNY"),
    ("is_subscribe", "N"),
    ("mch_id", "1900000109"),
    ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
    ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    ("out_trade_no", "T20260101000001"),
    ("result_code", "SUCCESS"),
    ("return_code", "SUCCESS"),
    ("time_end", "20260101121530"),
    ("total_fee", "888"),
    ("trade_type", "NATIVE"),
    ("transaction_id", "4200000000202601010000000001"),
];

criterion_group!(benches, notification);
criterion_main!(benches);
