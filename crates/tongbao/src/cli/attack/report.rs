//! What the gateway made of the messages.

use std::process::ExitCode;

use serde::Serialize;

use super::sender::Answer;
use crate::attack::{Forgery, Must, is_success};

#[derive(Default)]
pub(super) struct Report {
    sent: usize,
    refused: usize,
    /// Hung up on, which is a refusal too.
    silent: usize,
    believed: Vec<Line>,
    doubtful: Vec<Line>,
}

/// One message that was answered with success.
#[derive(Clone, Serialize)]
struct Line {
    id: String,
    what: String,
}

#[derive(Serialize)]
struct Result<'a> {
    messages: usize,
    sent: usize,
    refused: usize,
    silent: usize,
    believed: &'a [Line],
    doubtful: &'a [Line],
}

impl Report {
    pub(super) fn add(&mut self, row: &Forgery, answer: Answer) {
        self.sent += 1;
        let Answer::Said { status, body } = answer else {
            self.silent += 1;
            return;
        };
        if !is_success(status, &body) {
            self.refused += 1;
            return;
        }
        let line = Line {
            id: row.id.clone(),
            what: row.what.clone(),
        };
        match row.must {
            Must::Refuse => self.believed.push(line),
            Must::Ask | Must::Case => self.doubtful.push(line),
        }
    }

    pub(super) fn print(&self, messages: usize, order: &str, json: bool) -> anyhow::Result<()> {
        if json {
            let result = Result {
                messages,
                sent: self.sent,
                refused: self.refused,
                silent: self.silent,
                believed: &self.believed,
                doubtful: &self.doubtful,
            };
            println!("{}", serde_json::to_string_pretty(&result)?);
            return Ok(());
        }
        for line in &self.believed {
            println!("BELIEVED  {:<7} {}", line.id, line.what);
        }
        for line in &self.doubtful {
            println!("answered  {:<7} {}", line.id, line.what);
        }
        println!(
            "{} of {messages} sent, {} refused, {} without an answer, {} BELIEVED",
            self.sent,
            self.refused,
            self.silent,
            self.believed.len()
        );
        if !self.doubtful.is_empty() {
            println!(
                "{} messages that may be answered with success, if the gateway asks the platform \
                 before it believes them.",
                self.doubtful.len()
            );
        }
        println!("Order {order} must still be unpaid: look there.");
        Ok(())
    }

    pub(super) fn end(&self) -> ExitCode {
        ExitCode::from(u8::from(!self.believed.is_empty()))
    }
}
