//! One message over HTTP.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Url, redirect};

use super::address;
use crate::attack::Forgery;

/// A platform waits no longer either.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// So much of an answer is read.
const ANSWER_MAX: usize = 64 * 1024;

pub(super) struct Sender {
    client: Client,
    url: Url,
}

/// What the gateway said.
pub(super) enum Answer {
    Said {
        status: u16,
        body: Vec<u8>,
    },
    /// It hung up, or said nothing in time.
    Nothing,
}

impl Sender {
    pub(super) async fn new(url: &str, owned: bool) -> anyhow::Result<Self> {
        let url: Url = url
            .parse()
            .with_context(|| format!("{url} is no address"))?;
        // The addresses that were checked are those that are connected to.
        let addresses = address::resolve(&url, owned).await?;
        let client = Client::builder()
            .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()?;
        let sender = Self { client, url };
        sender.is_there().await?;
        Ok(sender)
    }

    /// A gateway that is not there refuses everything, and proves nothing.
    async fn is_there(&self) -> anyhow::Result<()> {
        let empty = self.client.post(self.url.clone()).send().await;
        let status = empty
            .with_context(|| format!("{} does not answer", self.url))?
            .status();
        anyhow::ensure!(
            status != reqwest::StatusCode::NOT_FOUND
                && status != reqwest::StatusCode::METHOD_NOT_ALLOWED,
            "{} answers {status}: nobody takes notifications there",
            self.url
        );
        Ok(())
    }

    pub(super) async fn send(&self, row: &Forgery) -> anyhow::Result<Answer> {
        let url: Url = format!("{}{}", self.url, row.query).parse()?;
        let mut request = self.client.post(url).body(row.body.clone());
        for (name, value) in row.headers() {
            request = request.header(name, value);
        }
        let Ok(mut response) = request.send().await else {
            return Ok(Answer::Nothing);
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_MAX {
                break;
            }
        }
        Ok(Answer::Said { status, body })
    }
}
