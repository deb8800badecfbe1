//! A headless Chromium, driven by its own driver.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

/// For anything that the pages promise to do by themselves.
const DEADLINE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

const WIDTHS: [u32; 3] = [390, 768, 1440];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// One browser that prefers one language. Its driver ends with it.
pub(crate) struct Chrome {
    client: Client,
    /// `Accept-Language`; its first two letters name the folder of the pictures.
    language: &'static str,
    _driver: Child,
}

impl Chrome {
    pub(crate) async fn start(language: &'static str) -> Self {
        let (driver, address) = start_driver().await;
        let mut capabilities = Capabilities::new();
        capabilities.insert(
            "goog:chromeOptions".into(),
            json!({
                // Containers run as root, where the sandbox has nothing to stand on.
                "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
                    "--hide-scrollbars", "--disable-gpu", "--no-first-run"],
            }),
        );
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("chromedriver starts a Chromium");
        let chrome = Self {
            client,
            language,
            _driver: driver,
        };
        chrome.take_tab().await;
        chrome
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    pub(crate) async fn tab(&self) -> WindowHandle {
        self.client.window().await.unwrap()
    }

    /// Opens another tab and goes to it.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let tab = self.client.new_window(true).await.unwrap().handle;
        self.switch_to(&tab).await;
        self.take_tab().await;
        tab
    }

    pub(crate) async fn switch_to(&self, tab: &WindowHandle) {
        self.client.switch_to_window(tab.clone()).await.unwrap();
    }

    /// What is set for one tab alone: its language and its first size.
    async fn take_tab(&self) {
        self.cdp("Network.enable", json!({})).await;
        let headers = json!({ "headers": { "Accept-Language": self.language } });
        self.cdp("Network.setExtraHTTPHeaders", headers).await;
        self.look_at(1440, "light").await;
    }

    pub(crate) async fn switch_scripts_off(&self) {
        self.cdp(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": true }),
        )
        .await;
    }

    /// From here on this tab calls itself by another browser's name.
    pub(crate) async fn pretend(&self, agent: &str) {
        self.cdp(
            "Network.setUserAgentOverride",
            json!({ "userAgent": agent }),
        )
        .await;
    }

    /// Runs before whatever a page of this tab brings along.
    pub(crate) async fn before_every_page(&self, script: &str) {
        let source = json!({ "source": script });
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// Waits until there is one.
    pub(crate) async fn find(&self, css: &str) -> Element {
        self.find_within(DEADLINE, css).await
    }

    pub(crate) async fn find_within(&self, deadline: Duration, css: &str) -> Element {
        let wait = self.client.wait().at_most(deadline).every(LOOK_EVERY);
        match wait.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => {
                self.shoot("missing").await;
                panic!("no {css} on {}: {error}", self.url().await);
            }
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        while unless_drawn_anew(self.find(css).await.click().await).is_none() {}
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        loop {
            let text = self.find(css).await.text().await;
            if let Some(text) = unless_drawn_anew(text) {
                return text;
            }
        }
    }

    /// Waits until the element of that id says this.
    pub(crate) async fn find_text(&self, id: &str, words: &str) {
        let there = format!("//*[@id='{id}'][contains(., '{words}')]");
        let wait = self.client.wait().at_most(DEADLINE).every(LOOK_EVERY);
        if let Err(error) = wait.for_element(Locator::XPath(&there)).await {
            self.shoot("missing").await;
            let says = self.text(&format!("#{id}")).await;
            panic!("{id} says {says:?}, not {words}: {error}");
        }
    }

    /// Enter goes down, is repeated by the keyboard so often, and comes up.
    pub(crate) async fn hold_enter(&self, repeats: u32) {
        for n in 0..=repeats {
            let down = json!({"type": "keyDown", "key": "Enter", "code": "Enter", "text": "\r",
                "windowsVirtualKeyCode": 13, "autoRepeat": n > 0});
            self.cdp("Input.dispatchKeyEvent", down).await;
        }
        let up = json!({"type": "keyUp", "key": "Enter", "code": "Enter",
            "windowsVirtualKeyCode": 13});
        self.cdp("Input.dispatchKeyEvent", up).await;
    }

    pub(crate) async fn clear(&self, css: &str) {
        self.find(css).await.clear().await.unwrap();
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Photographs the whole page at every width and in both colour schemes, and
    /// holds it against what must be true of every page.
    pub(crate) async fn photograph(&self, page: &str) {
        for scheme in SCHEMES {
            for width in WIDTHS {
                self.look_at(width, scheme).await;
                self.draw().await;
                self.shoot(&format!("{page}-{width}-{scheme}")).await;
                let wide = self
                    .run("return document.documentElement.scrollWidth")
                    .await;
                assert!(
                    wide.as_u64() <= Some(width.into()),
                    "{page} is {wide} wide at {width}"
                );
            }
        }
        self.look_at(1440, "light").await;
        self.expect_no_complaints(page).await;
    }

    async fn look_at(&self, width: u32, scheme: &str) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            // A picture must not show a colour on its way to another.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// Until the page is drawn as it is to be looked at.
    async fn draw(&self) {
        let frames = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done()));";
        self.client.execute_async(frames, vec![]).await.unwrap();
    }

    /// Saves the whole page below `target/screenshots`.
    async fn shoot(&self, name: &str) {
        let shot = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.cdp("Page.captureScreenshot", shot).await;
        let png = answer["data"].as_str().unwrap();
        let dir = screenshots().join(&self.language[..2]);
        std::fs::create_dir_all(&dir).unwrap();
        let png = BASE64_STANDARD.decode(png).unwrap();
        std::fs::write(dir.join(format!("{name}.png")), png).unwrap();
    }

    /// From here on only what comes later counts.
    pub(crate) async fn forget_complaints(&self) {
        self.issue("se/log", json!({ "type": "browser" })).await;
    }

    /// The browser complains of scripts that fail, files that are missing, and of
    /// everything that the pages' content security policy forbids.
    async fn expect_no_complaints(&self, page: &str) {
        let log = self.issue("se/log", json!({ "type": "browser" })).await;
        let complaints: Vec<_> = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|line| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING")))
            .collect();
        assert!(complaints.is_empty(), "{page}: {complaints:?}");
    }

    /// A command of the protocol that the browser's own developer tools speak.
    async fn cdp(&self, command: &str, params: Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        self.issue("goog/cdp/execute", body).await
    }

    async fn issue(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Post { path, body }).await.unwrap()
    }
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// On a port that it chooses itself and prints.
async fn start_driver() -> (Child, String) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed; cargo xtask test installs it");
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return (
                driver,
                format!("http://127.0.0.1:{}", port.trim_end_matches('.')),
            );
        }
    }
    panic!("chromedriver ended without a port");
}

fn screenshots() -> PathBuf {
    // Beside the program: target/debug/tongbao.
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tongbao"));
    program.ancestors().nth(2).unwrap().join("screenshots")
}

/// `None` where the page has put another element in its place since it was found.
fn unless_drawn_anew<T>(done: Result<T, CmdError>) -> Option<T> {
    match done {
        Ok(done) => Some(done),
        Err(CmdError::Standard(said)) if said.error == ErrorStatus::StaleElementReference => None,
        Err(error) => panic!("{error}"),
    }
}
