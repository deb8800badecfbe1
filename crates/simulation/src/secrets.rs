//! X1: what only the gateway may know is nowhere outside it.

use std::fmt::{Debug, Write};
use std::sync::{Arc, OnceLock};

use memchr::memmem::Finder;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::event::WorldKernel;
use crate::story::Story;

/// The secrets of one run, to be looked for.
#[derive(Default)]
pub struct Secrets(OnceLock<Vec<(&'static str, Finder<'static>)>>);

impl Secrets {
    /// From here on they are looked for: each with its name.
    pub fn are(&self, secrets: impl IntoIterator<Item = (&'static str, String)>) {
        let finder = |(name, secret): (_, String)| (name, Finder::new(&secret).into_owned());
        // A second set would be a second world's.
        let _ = self.0.set(secrets.into_iter().map(finder).collect());
    }

    /// Which of them is in these bytes.
    pub fn in_bytes(&self, bytes: &[u8]) -> Option<&'static str> {
        let secrets = self.0.get()?;
        let found = secrets
            .iter()
            .find(|(_, secret)| secret.find(bytes).is_some());
        found.map(|(name, _)| *name)
    }
}

/// Hears everything that the gateway logs.
pub struct Ear {
    /// What it listens for.
    pub secrets: Arc<Secrets>,
    /// The world's time.
    pub kernel: WorldKernel,
    /// Where it tells of what it heard.
    pub story: Arc<Story>,
}

impl Ear {
    fn hear(&self, what: &Metadata<'_>, said: &str) {
        if let Some(secret) = self.secrets.in_bytes(said.as_bytes()) {
            let what = format!("the log says {secret}, in {}: {said}", what.target());
            self.story.violate(self.kernel.now(), "X1", what);
        }
    }
}

/// Every field of a line.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A string takes whatever is written to it.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        span.record(&mut line);
        self.hear(span.metadata(), &line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.hear(event.metadata(), &line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
