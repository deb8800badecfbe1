//! What mistakes make of a channel's settings.

use tongbao_core::channel::ChannelAccount;

/// Whom a service provider acts for.
const OF_THE_SUB_MERCHANT: [&str; 2] = ["sub_mch_id", "sub_appid"];

pub(super) fn not_sent(channel: &mut ChannelAccount) {
    if let Some(settings) = channel.settings.as_object_mut() {
        for name in OF_THE_SUB_MERCHANT {
            settings.remove(name);
        }
    }
}

/// Where an old key's end is kept.
const UNTIL: &str = "previous_api_v2_key_until";

pub(super) fn old_key_until(channel: &mut ChannelAccount, until: &str) {
    if channel.settings.get(UNTIL).is_some() {
        channel.settings[UNTIL] = until.into();
    }
}

/// As if the channels of one account shared what was made of the first.
pub(super) fn mixed_up<'a>(
    channel: &mut ChannelAccount,
    all: impl IntoIterator<Item = &'a ChannelAccount>,
) {
    let same = |one: &&ChannelAccount| one.settings["mch_id"] == channel.settings["mch_id"];
    let Some(first) = all.into_iter().find(same).map(|one| one.settings.clone()) else {
        return;
    };
    not_sent(channel);
    for name in OF_THE_SUB_MERCHANT {
        if let Some(value) = first.get(name) {
            channel.settings[name] = value.clone();
        }
    }
}
