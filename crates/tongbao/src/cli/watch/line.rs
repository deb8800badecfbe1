//! One thing that happened, in one line.

use console::{Style, style};
use jiff::tz::Offset;
use serde_json::{Value, json};
use tongbao_core::Money;

use super::feed::News;

/// China has one time zone and no summer time.
const CHINA: Offset = Offset::constant(8);

impl News {
    /// For programs.
    pub(super) fn json(&self) -> String {
        let mut all = json!({ "type": self.kind });
        if let Some(payment) = &self.payment {
            all["payment"] = payment.clone().into();
        }
        if let Some(number) = &self.order_no {
            all["merchant_order_no"] = number.clone().into();
        }
        for (name, value) in &self.said {
            // The timeline has types of its own.
            let name = if name == "type" { "what" } else { name };
            all[name] = value.clone();
        }
        all.to_string()
    }

    /// For people; coloured where a terminal shows it.
    pub(super) fn line(&self) -> String {
        let number = self.order_no.as_deref().unwrap_or("-");
        let what = match self.kind {
            "payment" => self.timeline(),
            "webhook" => self.webhook(),
            _ => format!("{} {}", self.word("event"), dim(self.word("id"))),
        };
        format!(
            "{}  {}  {what}",
            dim(&self.time()),
            style(printable(number)).bold()
        )
    }

    fn time(&self) -> String {
        let at = ["at", "created_at"].map(|name| self.word(name));
        let at = at.into_iter().find(|text| !text.is_empty());
        clock(at.unwrap_or_default())
    }

    fn timeline(&self) -> String {
        let (scene, outcome) = (self.word("scene"), self.word("outcome"));
        let mut words = match self.word("type") {
            "created" => vec!["created".to_owned(), self.yuan(), self.text("subject")],
            "attempt_started" => vec!["attempt".to_owned(), scene.to_owned()],
            "reported" => vec![
                format!("{scene} {}:", self.word("source")),
                outcome.to_owned(),
            ],
            "refund_requested" => vec!["refund".to_owned(), self.yuan()],
            "refund_reported" => {
                vec![
                    format!("refund {}:", self.word("source")),
                    outcome.to_owned(),
                ]
            }
            "close_requested" => vec!["close asked for".to_owned()],
            other => vec![printable(other)],
        };
        if outcome == "success" {
            words.push(self.yuan());
        }
        if self.word("type") != "created" {
            words.push(self.text("detail"));
        }
        let state = self.word("state");
        if self.before.as_deref().is_some_and(|before| before != state) {
            words.push(format!("→ {}", coloured(state)));
        }
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }

    fn webhook(&self) -> String {
        let took = self.said.get("took_millis").and_then(Value::as_i64);
        let took = took.map_or(String::new(), |took| format!(" in {took} ms"));
        let status = self.said.get("status").and_then(Value::as_u64);
        let heard = match status {
            Some(status) if (200..300).contains(&status) => {
                style(format!("{status}{took}")).green()
            }
            Some(status) => style(format!("{status}{took}")).yellow(),
            None => style(self.text("answer")).yellow(),
        };
        let after = match (self.word("state"), self.word("next_try_at")) {
            ("exhausted", _) => style(" given up".to_owned()).red().to_string(),
            (_, "") => String::new(),
            (_, next) => format!(", again at {}", clock(next)),
        };
        format!("{} told: {heard}{after}", self.word("event"))
    }

    fn word(&self, name: &str) -> &str {
        self.said
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        printable(self.word(name))
    }

    fn yuan(&self) -> String {
        let fen = self.said.get("amount").and_then(Value::as_i64);
        fen.map_or(String::new(), |fen| Money::fen(fen).to_string())
    }
}

/// What others wrote must not steer the terminal.
fn printable(text: &str) -> String {
    let mut text = text.replace(char::is_control, "�");
    if let Some((end, _)) = text.char_indices().nth(160) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn dim(text: &str) -> String {
    style(printable(text)).dim().to_string()
}

fn coloured(state: &str) -> String {
    let colour = match state {
        "paid" => Style::new().green(),
        "closed" => Style::new().yellow(),
        _ => Style::new().cyan(),
    };
    colour.bold().apply_to(printable(state)).to_string()
}

/// `11-21 14:32:07`, as in China.
fn clock(at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(instant) => CHINA
            .to_datetime(instant)
            .strftime("%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => printable(at),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn news(kind: &'static str, before: Option<&str>, said: Value) -> News {
        let Value::Object(said) = said else {
            return news(kind, before, Value::Object(Map::new()));
        };
        News {
            kind,
            payment: Some("pay_1".to_owned()),
            order_no: Some("T1".to_owned()),
            before: before.map(str::to_owned),
            said,
        }
    }

    #[test]
    fn each_thing_is_a_line() {
        let at = "2026-11-21T04:00:00Z";
        for (kind, before, said, line) in [
            (
                "payment",
                None,
                json!({"type": "created", "at": at, "state": "created", "amount": 1234, "subject": "茶"}),
                "11-21 12:00:00  T1  created ¥12.34 茶",
            ),
            (
                "payment",
                Some("pending"),
                json!({"type": "reported", "at": at, "state": "paid", "scene": "native",
                       "source": "query", "outcome": "success", "amount": 1234}),
                "11-21 12:00:00  T1  native query: success ¥12.34 → paid",
            ),
            (
                "payment",
                Some("paid"),
                json!({"type": "refund_reported", "at": at, "state": "paid", "source": "answer",
                       "outcome": "unknown", "detail": "no answer in time"}),
                "11-21 12:00:00  T1  refund answer: unknown no answer in time",
            ),
            (
                "event",
                None,
                json!({"event": "case.opened", "created_at": at, "id": "evt_1"}),
                "11-21 12:00:00  T1  case.opened evt_1",
            ),
            (
                "webhook",
                None,
                json!({"event": "payment.paid", "at": at, "status": 204, "took_millis": 12,
                       "state": "delivered"}),
                "11-21 12:00:00  T1  payment.paid told: 204 in 12 ms",
            ),
            (
                "webhook",
                None,
                json!({"event": "payment.paid", "at": at, "answer": "refused", "took_millis": 1,
                       "state": "pending", "next_try_at": "2026-11-21T04:00:15Z"}),
                "11-21 12:00:00  T1  payment.paid told: refused, again at 11-21 12:00:15",
            ),
        ] {
            let seen = news(kind, before, said);
            assert_eq!(console::strip_ansi_codes(&seen.line()), line);
            assert_eq!(
                serde_json::from_str::<Value>(&seen.json()).unwrap()["type"],
                kind
            );
        }
    }

    #[test]
    fn what_others_write_does_not_steer_the_terminal() {
        let subject = "\u{1b}]0;owned\u{7}\r\n\u{9b}2J";
        let said = json!({"type": "created", "at": "x\u{1b}[2J", "subject": subject});
        let line = news("payment", None, said).line();
        let plain = console::strip_ansi_codes(&line);
        assert!(!plain.chars().any(char::is_control), "{plain:?}");
        assert!(printable(&"长".repeat(1_000)).chars().count() == 161);
    }
}
