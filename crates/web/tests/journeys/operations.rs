//! What the operator's machines read.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tongbao_web::{App, Options};
use tower::ServiceExt;

use crate::support::{Answer, World};

#[tokio::test]
async fn a_gateway_that_can_read_its_database_is_ready() {
    let world = World::bare().await;
    for path in ["/healthz", "/readyz"] {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"status": "ok"}))
        );
    }
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_what_waits() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let mut world = World::open().await;
    world.serve(Options {
        metrics: Some(recorder.handle()),
        stopwatch: Some(|| Duration::from_millis(7)),
        ..Options::default()
    });
    world.order("T1").await;
    world.get("/v1/payments/pay_1").await;
    world.get("/v1/payments/pay_2").await;
    world.get("/nowhere").await;
    let notify = format!("/notify/{}", world.channel().await);
    let forged = Request::post(notify)
        .body(Body::from("<xml></xml>"))
        .unwrap();
    world.send(forged).await;

    let text = world.get("/metrics").await.text;
    for line in [
        "tongbao_http_requests_total{method=\"GET\",route=\"/v1/payments/{id}\",status=\"404\"} 2",
        "tongbao_http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 1",
        "tongbao_http_requests_total{method=\"POST\",route=\"/v1/payments\",status=\"201\"} 1",
        "tongbao_http_request_seconds_count{method=\"POST\",route=\"/v1/payments\"} 1",
        "tongbao_cases_open 0",
        "tongbao_jobs_laid_aside 0",
        "tongbao_deliveries_exhausted 0",
        "tongbao_live_pages 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(text.contains("tongbao_notifications_total{"), "{text}");
}

#[tokio::test]
async fn metrics_can_be_kept_from_the_public() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let mut world = World::bare().await;
    let options = Options {
        metrics: Some(recorder.handle()),
        public_metrics: false,
        ..Options::default()
    };
    world.serve(options.clone());
    assert_eq!(world.get("/metrics").await.status, 404);

    let admin = tongbao_web::admin_router(App::new(world.engine.clone(), options));
    let ask = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answer::of(admin.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(ask("/metrics").await.status, 200);
    assert_eq!(ask("/healthz").await.status, 200);
    assert_eq!(ask("/v1/payments").await.problem().0, 404);
}
