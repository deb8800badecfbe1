//! Which gateway a command speaks to, and as whom.

use crate::config::BaseUrl;
use crate::secret::Secret;

#[derive(Debug, clap::Args)]
pub(super) struct GatewayArgs {
    /// Where the gateway is.
    #[arg(
        long,
        env = "TONGBAO_GATEWAY",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(super) gateway: BaseUrl,
    /// A key of its merchant API. Others on this machine can read it on the command line, so
    /// better set the variable.
    #[arg(
        long,
        env = "TONGBAO_API_KEY",
        hide_env_values = true,
        value_name = "sk_…"
    )]
    pub(super) key: Secret,
}
