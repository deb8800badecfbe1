//! HTTP to platforms and to merchants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};
use rustls_platform_verifier::BuilderVerifierExt;
use tongbao_engine::{ClientIdentity, SendError, Target, Transport};

use super::address::{AddressPolicy, Lane, refusal};

/// A platform's answer that is longer is no answer.
const PLATFORM_ANSWER_MAX: usize = 1024 * 1024;

/// This much of a merchant's answer is kept; the rest is not read.
const WEBHOOK_ANSWER_MAX: usize = 64 * 1024;

/// A packet that is dropped must not use up the whole time of a call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Real HTTP. Platforms and merchants never share a connection, no redirect is
/// followed, and the environment's proxies are not used.
pub struct HttpTransport {
    policy: AddressPolicy,
    platforms: Client,
    web: Client,
    listed: Client,
    /// One for every certificate that a platform wants to see, by its text.
    known_by: Mutex<Vec<(ClientIdentity, Client)>>,
}

impl HttpTransport {
    /// Fails when the machine's certificates cannot be loaded.
    pub fn new(policy: AddressPolicy) -> anyhow::Result<Self> {
        let tls = tls()?;
        let webhooks = |lane| {
            let resolver = Arc::new(Filtered {
                policy: policy.clone(),
                lane,
            });
            client(&tls)
                .pool_max_idle_per_host(4)
                .dns_resolver(resolver)
                .build()
        };
        Ok(Self {
            platforms: client(&tls).pool_max_idle_per_host(64).build()?,
            web: webhooks(Lane::Web)?,
            listed: webhooks(Lane::Listed)?,
            policy,
            known_by: Mutex::new(Vec::new()),
        })
    }

    /// A client that shows this certificate. Its connections are its own: one that
    /// was opened with it must not carry another account's calls.
    fn platform_known_by(&self, identity: &ClientIdentity) -> Result<Client, SendError> {
        let mut known = self.known_by.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(other, _)| other == identity) {
            return Ok(client.clone());
        }
        let client = identified(identity).map_err(|why| {
            SendError::NotSent(format!(
                "the channel's client_certificate and client_key are of no use: {why}"
            ))
        })?;
        if known.len() >= IDENTITIES_KEPT {
            known.remove(0);
        }
        known.push((identity.clone(), client.clone()));
        Ok(client)
    }

    async fn exchange(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let identity = request.extensions().get::<ClientIdentity>().cloned();
        let mut request = reqwest::Request::try_from(request)
            .map_err(|error| SendError::NotSent(in_words(error)))?;
        *request.timeout_mut() = Some(timeout);
        let own;
        let client = match target {
            Target::Platform => match identity {
                Some(identity) => {
                    own = self.platform_known_by(&identity)?;
                    &own
                }
                None => &self.platforms,
            },
            Target::Webhook => match self.policy.lane(request.url()) {
                Ok(Lane::Web) => &self.web,
                Ok(Lane::Listed) => &self.listed,
                Err(refused) => return Err(SendError::NotSent(refused)),
            },
        };
        let response = client.execute(request).await.map_err(classified)?;
        read(target, response).await
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        target: Target,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(self.exchange(target, request, timeout))
    }
}

fn client(tls: &ClientConfig) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("tongbao/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls.clone())
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
}

/// So many accounts' clients are kept; the oldest makes room.
const IDENTITIES_KEPT: usize = 64;

fn identified(identity: &ClientIdentity) -> Result<Client, String> {
    let pem = identity.pem().as_bytes();
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
    let tls = verifying()
        .and_then(|tls| tls.with_client_auth_cert(certificates, key))
        .map_err(|error| error.to_string())?;
    let built = client(&tls).pool_max_idle_per_host(4).build();
    built.map_err(|error| error.to_string())
}

/// TLS 1.2 or newer, with the machine's certificates. There are hundreds of
/// them, and loading takes most of the program's start: once is enough.
fn tls() -> Result<ClientConfig, rustls::Error> {
    Ok(verifying()?.with_no_client_auth())
}

fn verifying() -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()
}

/// Reads the answer, as far as it may go.
async fn read(
    target: Target,
    mut response: reqwest::Response,
) -> Result<Response<Bytes>, SendError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| SendError::Unknown(in_words(error)))?
    {
        match target {
            Target::Platform if body.len() + chunk.len() > PLATFORM_ANSWER_MAX => {
                let why = format!("the answer is longer than {PLATFORM_ANSWER_MAX} bytes");
                return Err(SendError::Unknown(why));
            }
            Target::Platform => body.extend_from_slice(&chunk),
            Target::Webhook => {
                let room = WEBHOOK_ANSWER_MAX - body.len();
                body.extend_from_slice(&chunk[..room.min(chunk.len())]);
                if body.len() == WEBHOOK_ANSWER_MAX {
                    break;
                }
            }
        }
    }
    let mut answer = Response::new(body.freeze());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    Ok(answer)
}

/// An error in connecting comes before the first byte: the name did not resolve,
/// the connection was refused or not answered, TLS was not agreed. After that
/// anything may have happened.
fn classified(error: reqwest::Error) -> SendError {
    let nothing_left = error.is_connect() || error.is_builder();
    let why = in_words(error);
    if nothing_left {
        SendError::NotSent(why)
    } else {
        SendError::Unknown(why)
    }
}

/// The innermost cause says the most. The address stays out: it may hold a secret.
fn in_words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Resolves a name to those addresses that may be called. The connector connects
/// to what this returns and resolves nothing again, so that a name cannot mean
/// one address when it is checked and another when it is called.
struct Filtered {
    policy: AddressPolicy,
    lane: Lane,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lane) = (self.policy.clone(), self.lane);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (allowed, refused): (Vec<_>, Vec<_>) = found
                .into_iter()
                .partition(|address| policy.allows(lane, address.ip()));
            match (allowed.is_empty(), refused.first()) {
                (true, Some(address)) => Err(refusal(address.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Webhooks;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn transport(networks: &[&str]) -> HttpTransport {
        let allow_networks = networks
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        let webhooks = Webhooks {
            allow_networks,
            allow_http: true,
        };
        HttpTransport::new(AddressPolicy::new(&webhooks)).unwrap()
    }

    fn get(url: &str) -> Request<Bytes> {
        Request::get(url).body(Bytes::new()).unwrap()
    }

    /// Gives the same answer to everybody, and then hangs up. Returns where it listens.
    async fn answering(answer: Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a server beside the test")]
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&answer).await;
            }
        });
        address
    }

    fn answer_of(bytes: usize) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
        [head.as_bytes(), &vec![b'x'; bytes]].concat()
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_address_that_is_connected_to() {
        let address = answering(answer_of(2)).await;
        let url = format!("http://localhost:{}/", address.port());

        let error = transport(&["10.0.0.0/8"])
            .send(Target::Webhook, get(&url), PATIENCE)
            .await;
        let Err(SendError::NotSent(why)) = error else {
            panic!("{error:?}")
        };
        assert!(why.contains("webhooks.allow_networks"), "{why}");

        let local = transport(&["127.0.0.0/8"]);
        let answer = local
            .send(Target::Webhook, get(&url), PATIENCE)
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }

    #[tokio::test]
    async fn a_platform_needs_no_leave_but_a_merchants_address_does() {
        let address = answering(answer_of(2)).await;
        let url = format!("http://{address}/");
        let strict = transport(&[]);

        assert!(
            strict
                .send(Target::Platform, get(&url), PATIENCE)
                .await
                .is_ok()
        );
        let error = strict.send(Target::Webhook, get(&url), PATIENCE).await;
        assert!(matches!(error, Err(SendError::NotSent(_))), "{error:?}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let head = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\
                    content-length: 0\r\n\r\n";
        let address = answering(head.into()).await;
        let local = transport(&["127.0.0.0/8"]);

        let url = format!("http://{address}/");
        let answer = local
            .send(Target::Webhook, get(&url), PATIENCE)
            .await
            .unwrap();
        assert_eq!(answer.status(), 302);
    }

    #[tokio::test]
    async fn a_long_answer_is_cut_for_a_merchant_and_refused_for_a_platform() {
        let address = answering(answer_of(PLATFORM_ANSWER_MAX + 1)).await;
        let url = format!("http://{address}/");
        let local = transport(&["127.0.0.0/8"]);

        let answer = local
            .send(Target::Webhook, get(&url), PATIENCE)
            .await
            .unwrap();
        assert_eq!(answer.body().len(), WEBHOOK_ANSWER_MAX);
        let error = local.send(Target::Platform, get(&url), PATIENCE).await;
        assert!(matches!(error, Err(SendError::Unknown(_))), "{error:?}");
    }

    #[tokio::test]
    async fn only_what_cannot_have_left_is_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = listener.local_addr().unwrap();
        drop(listener);
        let plain = answering(answer_of(2)).await;
        for url in [
            format!("http://{free}/"),
            "http://no-such-host.invalid/".to_owned(),
            format!("https://{plain}/"), // no TLS there
        ] {
            let error = transport(&[])
                .send(Target::Platform, get(&url), PATIENCE)
                .await;
            assert!(
                matches!(error, Err(SendError::NotSent(_))),
                "{url}: {error:?}"
            );
        }

        let silent = answering(Vec::new()).await;
        let garbage = answering(b"what?\r\n\r\n".to_vec()).await;
        let cut = answering(answer_of(100)[..60].to_vec()).await;
        for address in [silent, garbage, cut] {
            let url = format!("http://{address}/");
            let error = transport(&[])
                .send(Target::Platform, get(&url), PATIENCE)
                .await;
            assert!(matches!(error, Err(SendError::Unknown(_))), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_vouches_for_is_refused() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "https://localhost:{}/",
            listener.local_addr().unwrap().port()
        );

        let transport = transport(&["127.0.0.0/8"]);
        for target in [Target::Platform, Target::Webhook] {
            let serve = async {
                let (stream, _) = listener.accept().await.unwrap();
                acceptor.accept(stream).await
            };
            let (handshake, sent) =
                futures::join!(serve, transport.send(target, get(&url), PATIENCE));
            assert!(handshake.is_err(), "the handshake came to nothing");
            let Err(SendError::NotSent(why)) = sent else {
                panic!("{sent:?}")
            };
            assert!(why.contains("certificate"), "{why}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_drips_is_cut_off_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let local = transport(&["127.0.0.0/8"]);

        // Accepted by the system, answered by nobody.
        let error = local
            .send(Target::Webhook, get(&url), Duration::from_millis(50))
            .await;
        assert_eq!(
            error.unwrap_err(),
            SendError::Unknown("no answer in time".to_owned())
        );
    }
}
