//! The reference in Chinese: what the description says in English, line by line.
//! A test finds the lines that are missing.

/// `None` for what has not been translated, and for what needs no translation.
pub(super) fn of(english: &str) -> Option<&'static str> {
    let mut table = TABLE.iter();
    table
        .find(|(key, _)| *key == english)
        .map(|(_, chinese)| *chinese)
}

const TABLE: &[(&str, &str)] = &[
    // Groups
    ("Payments", "付款"),
    (
        "What a merchant wants paid, and every try at it.",
        "商户要收的一笔款，以及每次收款的尝试。",
    ),
    ("Webhooks", "通知"),
    (
        "What we tell a merchant, where and how often.",
        "我们告诉商户的事：告诉谁，告诉几次。",
    ),
    ("Channels", "渠道"),
    (
        "Accounts at platforms, and what they tell us.",
        "在平台的账户，以及平台发来的消息。",
    ),
    ("Refunds", "退款"),
    ("Money on its way back to a payer.", "退还给付款人的钱。"),
    ("Cases", "异常"),
    ("Money that should not be there.", "不该收到的钱。"),
    ("Stores", "门店"),
    (
        "A merchant's shops and the tills in them.",
        "商户的门店，以及店里的收银台。",
    ),
    ("Lists the stores", "查询门店列表"),
    ("Adds a store", "添加门店"),
    (
        "Name it in the `store` of a payment, and in the `store` of a webhook endpoint that shall hear of this store alone. Endpoints without a `store` hear of all.",
        "在付款的 `store` 里写它；只想收到这家店消息的通知端点，也在 `store` 里写它。不写 `store` 的端点会收到所有门店的消息。",
    ),
    ("Reads a store", "查询门店"),
    ("Lists a store's tills", "查询门店的收银台"),
    (
        "Oldest first, also those whose key was revoked.",
        "从早到晚，包括密钥已作废的。",
    ),
    ("Adds a till", "添加收银台"),
    (
        "Keep the `key` of the answer: it opens the till page at `/pos` and this API for the store's payments, and is never shown again. Whoever lost it revokes it and adds another till.",
        "请保存返回的 `key`：用它可以登录 `/pos` 收银页面，也可以通过本接口处理这家店的付款；以后不再显示。丢失后请作废它，再添加一个收银台。",
    ),
    ("Revokes a till's key", "作废收银台的密钥"),
    (
        "It opens nothing from now on, for ever. Payments that it made go on. A second time changes nothing.",
        "从此永久失效。用它创建的付款照常进行。重复作废没有影响。",
    ),
    ("Reads the till whose key asks", "查询自己的收银台"),
    (
        "With its store, and what both have taken today. For a till's key alone.",
        "包括所在门店，以及两者今天的收款。只能用收银台的密钥。",
    ),
    ("What this till has taken of it.", "其中这台收银台的收款。"),
    (
        "Its tills, also those whose key was revoked.",
        "店里的收银台，包括密钥已作废的。",
    ),
    ("Reads what a store took on a day", "查询门店一天的收款"),
    (
        "From midnight to midnight in China: what was paid, and what went back to payers, in all and till by till.",
        "按北京时间零点到零点：收到的款与退给顾客的款，有合计，也有每台收银台的数字。",
    ),
    (
        "A day in China, `2026-11-21`; today when left out.",
        "北京时间的日期，如 `2026-11-21`；不写则为今天。",
    ),
    ("Of which store, `sto_…`.", "哪家门店，`sto_…`。"),
    (
        "When the day began: midnight in China, RFC 3339.",
        "这一天的开始：北京时间零点，RFC 3339。",
    ),
    ("All of it.", "合计。"),
    (
        "What each till had of it. What your server and payers themselves started is in the sums above alone.",
        "每台收银台的数字。由您的服务器或顾客自己发起的，只计入上面的合计。",
    ),
    ("What it took.", "它的收款。"),
    (
        "There is no such payment, or it is another merchant's, or, for a till, another store's",
        "没有这笔付款，或属于别的商户；对收银台来说，或属于别的门店",
    ),
    (
        "How many refunds reached their payers, also of payments of days before.",
        "已到顾客账户的退款笔数，包括以前收款的退款。",
    ),
    (
        "Which of the store's tills took the money; until it came, the one that asked for it last.",
        "门店的哪台收银台收的款；收到之前，是最后一次发起收款的那台。",
    ),
    ("The till that asked for it.", "发起退款的收银台。"),
    ("The till that started it.", "发起它的收银台。"),
    (
        "Which till started the attempt or asked for the refund.",
        "哪台收银台发起了这次收款或退款。",
    ),
    ("Their sum in fen.", "合计，单位为分。"),
    ("A till's key cannot do this", "收银台的密钥不能做这件事"),
    (
        "Only a till's key can do this",
        "只有收银台的密钥能做这件事",
    ),
    (
        "Added, by this request, or by the same one before: then without `key`",
        "已添加：由这次请求，或之前的同一请求；后一种情况不含 `key`",
    ),
    (
        "How the merchant's channels can collect now: `native`, `barcode` and so on.",
        "商户的渠道现在能怎样收款：`native`、`barcode` 等。",
    ),
    ("How many payments were paid.", "收款笔数。"),
    ("In which of the merchant's stores.", "在商户的哪家门店。"),
    (
        "In which of your stores, `sto_…`; webhook endpoints can listen to one store. A till's key fills it in.",
        "在您的哪家门店，`sto_…`；通知端点可以只接收一家门店的消息。用收银台的密钥时自动填入。",
    ),
    (
        "Of this store, `sto_…`; a till sees its own store's alone.",
        "只看这家门店，`sto_…`；收银台只能看到自己门店的。",
    ),
    (
        "Only events of this store, `sto_…`.",
        "只接收这家门店的通知，`sto_…`。",
    ),
    ("Only events of this store.", "只接收这家门店的通知。"),
    ("Ours, `sto_…`.", "我们的编号，`sto_…`。"),
    ("Ours, `til_…`.", "我们的编号，`til_…`。"),
    (
        "Since when the key opens nothing, RFC 3339.",
        "密钥从何时起失效，RFC 3339。",
    ),
    ("The key's first characters.", "密钥的前几个字符。"),
    (
        "The key, `tk_…`; only in the answer that creates it.",
        "密钥，`tk_…`；只在创建时返回。",
    ),
    (
        "Their sum in fen, before refunds.",
        "合计，单位为分，未扣除退款。",
    ),
    (
        "There is no such store, or it is another merchant's",
        "没有这家门店，或属于别的商户",
    ),
    (
        "There is none, or it is another merchant's, or, for a till, another store's",
        "不存在，或属于别的商户；对收银台来说，或属于别的门店",
    ),
    ("What people call it.", "名称。"),
    (
        "What people call it: 1 to 128 bytes; no two stores of yours have one name.",
        "名称：1 到 128 字节；同一商户的门店不能重名。",
    ),
    (
        "What people call it: 1 to 128 bytes; no two tills of a store have one name.",
        "名称：1 到 128 字节；同一门店的收银台不能重名。",
    ),
    (
        "What the store has taken since midnight in China.",
        "门店今天（北京时间零点起）的收款。",
    ),
    ("Where it stands.", "所在门店。"),
    ("Who gets the money.", "收款方。"),
    (
        "`only_for_tills`: the key is the merchant's",
        "`only_for_tills`：密钥是商户的",
    ),
    ("Newest first.", "从新到旧。"),
    ("Oldest first.", "从早到晚。"),
    // Calls
    ("Creates a payment", "创建付款"),
    (
        "The order number is the anchor: the same number with the same content always gives the same payment, with or without an `Idempotency-Key`, and the same number with other content is refused with `order_no_conflict`.",
        "订单号是锚点：同样的订单号、同样的内容永远得到同一笔付款，无论带不带 `Idempotency-Key`；内容不同则拒绝，代码为 `order_no_conflict`。",
    ),
    ("Lists payments", "查询付款列表"),
    ("Reads a payment", "查询付款"),
    (
        "With `refresh=true` the channel is asked about every open attempt first, and the answer waits for it no longer than the channel's timeout.",
        "带 `refresh=true` 时，先向渠道查询每个未结束的尝试，最多等待渠道的超时时间。",
    ),
    ("Starts an attempt", "发起尝试"),
    (
        "Asks a channel to collect the money. The answer's `action` says what the payer's side has to do. When the channel does not answer in time, `state` is `unknown`: it is asked again until the truth is found. An open attempt of the same channel and scene is returned instead of a second one, and with a new `url` where the old one has ended.  `jsapi` and `mini_program` are for one payer, named by `payer.openid` or known by `payer.code`. A code is asked about once. When that brings no payer, nothing is made, and the error's `code` says why: get a new login code, and send the request again. The same code for the same payment is the same attempt.  `barcode` charges the code that the payer shows. `succeeded` is paid; `failed` leaves the payment open for another code, and `failure` says why; `user_paying` and `unknown` are asked about every few seconds, and after half a minute the attempt is reversed: hand nothing over before the payment is `paid`, and scan no second code before the attempt has ended. While it is open, a second code is not sent, and the open attempt is returned.",
        "请一个渠道来收款。返回的 `action` 写明付款方接下来要做什么。渠道没有及时回应时，`state` 为 `unknown`：我们会一直查询，直到有结果。同一渠道、同一场景已有未结束的尝试时，返回那一个，不会再开第二个；其中的 `url` 过期时会换成新的。`jsapi` 和 `mini_program` 只能由一个人支付：用 `payer.openid` 指明，或由 `payer.code` 换取。一个 code 只询问一次；换不到付款人时什么都不会创建，错误的 `code` 说明原因：请重新获取登录凭证再发起。同一付款的同一个 code 是同一个尝试。`barcode` 用顾客出示的付款码扣款。`succeeded` 表示已付；`failed` 时付款仍未结束，可以再扫一个码，原因见 `failure`；`user_paying` 和 `unknown` 会每隔几秒查询一次，半分钟后仍未支付则撤销：付款变成 `paid` 之前不要交货，尝试结束之前不要再扫。未结束时再扫的码不会发出，返回的是那个未结束的尝试。",
    ),
    ("Closes a payment", "关闭付款"),
    (
        "Nobody can pay it any more then. Every channel is asked before it is told to close. The answer is `closed`; or `paid`, when the payer was faster; or still `pending`, when a channel does not answer, or closes nothing that young (WeChat Pay: five minutes): then it becomes one of the two by itself, and a webhook tells. Until then a payer with the code may still pay, and whatever is paid is `paid`. Closing a closed payment again changes nothing.",
        "此后不能再付款。先向每个渠道查询，再让它关单。结果是 `closed`；如果顾客抢先付了款，则是 `paid`；渠道没有回应，或者订单太新还不能关（微信支付：下单后五分钟内）时仍是 `pending`，之后会自己变成前两者之一，并发出通知。在此之前拿着码的顾客仍可付款，付了就是 `paid`。重复关闭没有影响。",
    ),
    ("Reads a payment's timeline", "查询付款的经过"),
    (
        "Everything that happened to it, oldest first.",
        "从创建起发生的每一件事，从早到晚。",
    ),
    ("Adds an endpoint", "添加端点"),
    (
        "Keep the `secret` of the answer: it signs every event, and is not shown again. Whoever lost the answer sees it once more with the same request under the same `Idempotency-Key`, for ten minutes.",
        "请保存回答中的 `secret`：它为每一条通知签名，之后不再显示。若回答丢失，十分钟内以同一 `Idempotency-Key` 重发同样的请求可再次看到。",
    ),
    ("Lists the endpoints", "查询端点列表"),
    ("Reads an endpoint", "查询端点"),
    ("Changes an endpoint", "修改端点"),
    ("Removes an endpoint", "删除端点"),
    (
        "With the events that wait for it.",
        "连同等待发往它的通知。",
    ),
    ("Replays events to an endpoint", "批量重发通知"),
    (
        "Every event of a span of time that it listens to, whether or not it had them before, under the same ids: for an endpoint that was broken, or is new.",
        "发送一段时间内该端点订阅的全部通知，无论以前是否收到过，编号不变：用于出过故障或新添加的端点。",
    ),
    ("Lists events", "查询通知列表"),
    ("Reads an event", "查询通知"),
    (
        "With every try at every endpoint.",
        "以及在每个端点的每次投递。",
    ),
    ("Sends an event again", "重发通知"),
    (
        "Now, to every endpoint that it was meant for, under the same id and in the same bytes.",
        "立即发往原定的每个端点，编号和内容不变。",
    ),
    ("Adds a channel", "添加渠道"),
    (
        "Settings that cannot work are refused, and the answer says which one and why.",
        "不可能有效的设置会被拒绝，并说明是哪一项、为什么。",
    ),
    ("Lists the channels", "查询渠道列表"),
    ("Reads a channel", "查询渠道"),
    ("Changes a channel", "修改渠道"),
    (
        "What has begun goes on with the new settings.",
        "已经开始的付款使用新的设置继续。",
    ),
    ("Checks a channel", "检查渠道"),
    (
        "Asks the platform something harmless, and says what is wrong with the account and what to do about it.",
        "向平台发一个无害的请求，告诉您账户哪里有问题、怎么办。",
    ),
    ("Lists notifications", "查询平台发来的消息"),
    (
        "What came in from platforms, newest first, with the verdict on each. Of a flood of refused messages a sample is kept.",
        "平台发来的消息，从新到旧，以及对每一条的判断。大量被拒绝的消息只保留一部分。",
    ),
    ("Lists cases", "查询异常列表"),
    (
        "Money that came and should not be there, newest first.",
        "收到了不该收到的钱，从新到旧。",
    ),
    // Parameters
    ("`pay_…`", "付款的编号，`pay_…`"),
    ("`whe_…`", "端点的编号，`whe_…`"),
    ("`evt_…`", "通知的编号，`evt_…`"),
    ("`chn_…`", "渠道的编号，`chn_…`"),
    (
        "Your name for this request; 1 to 255 visible ASCII characters",
        "您给这次请求起的名字，1 到 255 个可见 ASCII 字符",
    ),
    ("Exactly this order number.", "订单号，完全一致。"),
    (
        "`created`, `pending`, `paid` or `closed`.",
        "`created`、`pending`、`paid` 或 `closed`。",
    ),
    ("Made at or after, RFC 3339.", "创建时间不早于，RFC 3339。"),
    ("Made before, RFC 3339.", "创建时间早于，RFC 3339。"),
    (
        "`next_cursor` of the page before.",
        "上一页的 `next_cursor`。",
    ),
    (
        "Rows on a page, at most 100; 50 when left out.",
        "每页行数，最多 100，默认 50。",
    ),
    (
        "Ask the channel about every open attempt before answering.",
        "回答之前，先向渠道查询每个未结束的尝试。",
    ),
    ("Of this type.", "类型。"),
    ("Of this payment, `pay_…`.", "属于哪笔付款，`pay_…`。"),
    ("To this account, `chn_…`.", "发给哪个渠道账户，`chn_…`。"),
    (
        "`open` or `resolved`.",
        "`open`（未处理）或 `resolved`（已处理）。",
    ),
    // Answers
    ("One page", "一页"),
    ("All of them", "全部"),
    ("As it stands", "现状"),
    ("As it stands now", "现在的状态"),
    ("Oldest first", "从早到晚"),
    ("It is gone", "已删除"),
    ("It goes out now", "正在发送"),
    ("They go out now", "正在发送"),
    ("What was found", "检查结果"),
    (
        "Created, by this request or by the same one before",
        "已创建：由这次请求，或之前同样的请求",
    ),
    (
        "Started, by this request or by the same one before",
        "已发起：由这次请求，或之前同样的请求",
    ),
    (
        "Added, by this request or by the same one before",
        "已添加：由这次请求，或之前同样的请求",
    ),
    (
        "The same order made it before, under another key or none",
        "同样的订单之前已经创建，当时用的是别的键或没有键",
    ),
    (
        "The same way of paying was open already",
        "同样的付款方式已经打开",
    ),
    (
        "`order_no_conflict`: the number belongs to another order; `field` differs, `payment` has it",
        "`order_no_conflict`：订单号已属于别的订单；`field` 是不同的字段，`payment` 是那笔付款",
    ),
    (
        "The payment is paid, closed or expired, or has too many attempts; or the login code, or the channel's app, is not taken",
        "付款已完成、已关闭、已过期，或尝试次数过多；或登录凭证、渠道的应用不被接受",
    ),
    ("`platform_limit`", "`platform_limit`：平台限制了调用频率"),
    ("`payer_unknown`", "`payer_unknown`：平台没有说明付款人是谁"),
    (
        "`platform_busy` or `platform_unreachable`",
        "`platform_busy` 平台繁忙，或 `platform_unreachable` 无法连接平台",
    ),
    ("`payment_already_paid`", "`payment_already_paid`：已经付款"),
    (
        "A field cannot be accepted, or `idempotency_key_reused`",
        "某个字段不能接受，或 `idempotency_key_reused`",
    ),
    ("A field cannot be accepted", "某个字段不能接受"),
    (
        "A field cannot be accepted, or no channel can take it",
        "某个字段不能接受，或没有渠道能收这笔款",
    ),
    (
        "A field or setting cannot be accepted",
        "某个字段或设置不能接受",
    ),
    ("A parameter cannot be accepted", "某个参数不能接受"),
    (
        "A time cannot be read, or `idempotency_key_reused`",
        "时间无法识别，或 `idempotency_key_reused`",
    ),
    (
        "There is none, or it is another merchant's",
        "不存在，或属于别的商户",
    ),
    // A payment as it is asked for
    (
        "Your own number, unique for ever: 1 to 64 of `A-Z a-z 0-9 _ - | *`.",
        "您自己的订单号，永远唯一：1 到 64 个字符，可用 `A-Z a-z 0-9 _ - | *`。",
    ),
    (
        "In fen, a whole number: ¥12.34 is `1234`.",
        "金额，单位为分的整数：¥12.34 写作 `1234`。",
    ),
    (
        "What the payer reads: at most 127 bytes of UTF-8, without `&` and `=`.",
        "顾客看到的商品说明：最多 127 字节（42 个汉字），不能含 `&` 和 `=`。",
    ),
    ("`CNY`, also when left out.", "币种，`CNY`，可省略。"),
    (
        "How long the payer has, in seconds; 1800 when left out.",
        "有效时间，秒；默认 1800。",
    ),
    (
        "Your own data, an object of at most 4096 bytes; comes back untouched.",
        "您自己的数据，不超过 4096 字节的对象，原样返回。",
    ),
    (
        "Where the checkout page leads when it is done.",
        "付款结束后，收银台返回的地址。",
    ),
    (
        "Starts an attempt in the same call.",
        "在同一次调用中发起尝试。",
    ),
    // An attempt as it is asked for
    (
        "`native` (the payer scans a code), `jsapi`, `mini_program`, `app`, `h5` or `barcode`.",
        "`native`（顾客扫码）、`jsapi`、`mini_program`、`app`、`h5` 或 `barcode`。",
    ),
    (
        "A channel's id, name or kind; the first one that can do the scene when left out.",
        "渠道的编号、名称或种类；省略时用第一个支持该场景的渠道。",
    ),
    (
        "Who pays; for `jsapi` and `mini_program`.",
        "付款人，用于 `jsapi` 和 `mini_program`。",
    ),
    (
        "The platform's name for the payer, under the channel's app.",
        "付款人在平台上的标识（openid），属于该渠道的应用。",
    ),
    (
        "The platform's name for the payer, under the channel's `app_id`.",
        "付款人在平台上的标识（openid），属于该渠道的 `app_id`。",
    ),
    (
        "Or a login code, which is exchanged for it: what `wx.login` gave the mini-program, or what came back to the web page. It is good once, for five minutes. The channel needs its `app_secret` for that.",
        "或者用来换取 openid 的登录凭证：小程序 `wx.login` 得到的，或网页授权带回来的 code。只能用一次，五分钟内有效。渠道需要填好 `app_secret`。",
    ),
    (
        "The code that the payer shows, as the scanner reads it; for `barcode`. Its digits tell the wallet. It is good for one request.",
        "顾客出示的付款码，照扫码枪读到的原样填写，用于 `barcode`。从数字可以认出是哪个钱包。只能用于一次请求。",
    ),
    (
        "The payer's IPv4 or IPv6 address.",
        "付款人的 IPv4 或 IPv6 地址。",
    ),
    // A payment
    ("Ours.", "编号。"),
    (
        "The merchant's own number, unique for ever.",
        "商户自己的订单号，永远唯一。",
    ),
    ("In fen.", "单位为分。"),
    ("`CNY`.", "币种，`CNY`。"),
    ("What the payer reads.", "顾客看到的商品说明。"),
    (
        "`requested` or `expired`, once it is closed.",
        "关闭的原因：`requested`（商户要求）或 `expired`（过期）。",
    ),
    ("When the payer paid, RFC 3339.", "付款时间，RFC 3339。"),
    (
        "When it is closed if it is not paid by then, RFC 3339.",
        "到这时还没有付款就会关闭，RFC 3339。",
    ),
    (
        "A page for the payer. Nobody can guess its address.",
        "给顾客的付款页面，地址无法猜到。",
    ),
    (
        "Every try, in the order in which they were started.",
        "每次尝试，按发起的先后。",
    ),
    ("Every refund.", "每笔退款。"),
    ("The merchant's own data.", "商户自己的数据。"),
    (
        "Rises with every change: an answer or webhook with a lower one is older.",
        "每次变化都会增大：数值更小的回答或通知是旧的。",
    ),
    ("When it was made, RFC 3339.", "创建时间，RFC 3339。"),
    // An attempt
    (
        "The number that the platform knows it by.",
        "平台所知的订单号。",
    ),
    ("The channel account.", "渠道账户。"),
    (
        "`native`, `jsapi`, `mini_program`, `app`, `h5` or `barcode`.",
        "`native`、`jsapi`、`mini_program`、`app`、`h5` 或 `barcode`。",
    ),
    (
        "`unknown`, `pending`, `user_paying`, `succeeded`, `failed`, `closed` or `reversed`. `unknown` is a question that we keep asking, not a failure.",
        "`unknown`、`pending`、`user_paying`、`succeeded`、`failed`、`closed` 或 `reversed`。`unknown` 不是失败，而是我们还在继续问的问题。",
    ),
    ("What the payer's side has to do.", "付款方接下来要做什么。"),
    ("The QR code's text.", "二维码的内容。"),
    ("Signed.", "已签名，原样使用。"),
    ("Opens the wallet.", "打开钱包。"),
    (
        "Until when, RFC 3339; `url` ends sooner than the order (WeChat Pay: five minutes). Start the same attempt again for another one.",
        "有效到什么时候，RFC 3339；`url` 比订单先过期（微信支付为五分钟）。再发起同样的尝试即可换一个。",
    ),
    ("The platform's number of the trade.", "平台的交易号。"),
    (
        "The platform's number of the trade; of `refund_abnormal`, of the refund.",
        "平台的交易号；`refund_abnormal` 则为平台的退款号。",
    ),
    (
        "The platform's name for the payer.",
        "付款人在平台上的标识。",
    ),
    ("Why it came to nothing.", "没有成功的原因。"),
    ("Stable.", "稳定的代码。"),
    ("Cause and cure.", "原因和办法。"),
    ("The platform's own code.", "平台自己的代码。"),
    // A refund
    ("Refunds a payment", "退款"),
    (
        "Gives back all of it or a part, as often as something is left. The platform taking the request is not the payer having the money: the answer is mostly `processing`, and a webhook tells of the end, `refund.succeeded` or `refund.failed`. `unknown` is a question that we keep asking, under the same number. The same `merchant_refund_no` with the same content gives the same refund, and with other content is refused with `refund_no_conflict`. Platforms want a minute between two refunds of one payment: the second one waits for it.",
        "全部或部分退还，只要还有余额就可以再退。平台受理不等于顾客已收到钱：回答多为 `processing`，结束时由通知告知：`refund.succeeded` 或 `refund.failed`。`unknown` 是我们用同一个退款号继续问的问题。同样的 `merchant_refund_no`、同样的内容得到同一笔退款；内容不同则拒绝，代码为 `refund_no_conflict`。平台要求同一笔付款的两次退款相隔一分钟：后一笔会自己等待。",
    ),
    ("Reads a refund", "查询退款"),
    (
        "With `refresh=true` the channel is asked first what has become of a refund that has no end yet, and the answer waits for it no longer than the channel's timeout. One that still waits for its turn is not asked about.",
        "带 `refresh=true` 时，退款还没有结果就先向渠道查询，最多等待渠道的超时时间。还在排队、没有发出的退款不查询。",
    ),
    (
        "Ask the channel about a refund that has no end yet before answering.",
        "回答之前，先向渠道查询还没有结果的退款。",
    ),
    ("Lists refunds", "查询退款列表"),
    ("What is to go back.", "要退还的钱。"),
    (
        "Your own number of the refund: 1 to 64 of A-Z a-z 0-9 _ - | *, unique for ever. The same number never pays back twice.",
        "您自己的退款号：1 到 64 个字符 A-Z a-z 0-9 _ - | *，永远唯一。同一个号绝不会退两次。",
    ),
    (
        "In fen; with the refunds before it at most what was paid.",
        "单位为分；连同之前的退款，不超过所付金额。",
    ),
    (
        "What the payer reads; at most 80 bytes of UTF-8.",
        "付款人看到的原因，最多 80 个 UTF-8 字节。",
    ),
    (
        "Made, by this request or by the same one before",
        "已创建：由这次请求，或由之前同样的请求",
    ),
    (
        "Another request made the same refund before",
        "另一个请求此前已创建同一笔退款",
    ),
    (
        "The payment is not paid, less than that is left of it, it has too many refunds, the number belongs to another refund, or the channel has no certificate for it",
        "尚未付款、余额不足、退款次数过多、退款号属于另一笔退款，或渠道缺少所需的证书",
    ),
    ("Out of which payment.", "属于哪笔付款。"),
    (
        "The merchant's own number; none for the money of a case.",
        "商户自己的退款号；异常款项的退款没有。",
    ),
    (
        "When it succeeded or was closed, RFC 3339.",
        "成功或关闭的时间，RFC 3339。",
    ),
    (
        "What stands in its way, or why it came to nothing.",
        "受阻的原因，或没有成功的原因。",
    ),
    ("The platform's number.", "平台的退款号。"),
    (
        "`unknown`, `processing`, `abnormal`, `succeeded` or `closed`. `unknown` is a question that we keep asking; only `succeeded` says that the payer has the money, and only `closed` that the merchant keeps it.",
        "`unknown`、`processing`、`abnormal`、`succeeded` 或 `closed`。`unknown` 是我们还在继续问的问题；只有 `succeeded` 表示付款人已收到钱，只有 `closed` 表示钱留在商户。",
    ),
    (
        "`unknown`, `processing`, `abnormal`, `succeeded` or `closed`.",
        "`unknown`、`processing`、`abnormal`、`succeeded` 或 `closed`。",
    ),
    ("`rfd_…`", "`rfd_…`"),
    ("Of which refund.", "属于哪笔退款。"),
    (
        "In fen: what has gone back. What is under way is in `refunds`.",
        "单位为分：已退还的金额。处理中的见 `refunds`。",
    ),
    // Lists
    ("The rows.", "各行。"),
    (
        "Send it as `cursor` to get the next page; `null` on the last one.",
        "作为 `cursor` 发送即得下一页；最后一页为 `null`。",
    ),
    // The timeline
    (
        "The payment's `sequence` that it led to.",
        "此后付款的 `sequence`。",
    ),
    ("When, RFC 3339.", "时间，RFC 3339。"),
    (
        "`created`, `attempt_started`, `reported`, `refund_requested`, `refund_reported`, `case_due`, `case_stopped`, `case_decided`, `close_requested` or `expired`.",
        "`created`（创建）、`attempt_started`（发起尝试）、`reported`（渠道有消息）、`refund_requested`（要求退款）、`refund_reported`（退款有消息）、`case_due`（处理异常）、`case_stopped`（异常不能自动退款）、`case_decided`（人工决定异常）、`close_requested`（要求关闭）或 `expired`（过期）。",
    ),
    ("The payment's state afterwards.", "此后付款的状态。"),
    ("Of which attempt.", "属于哪次尝试。"),
    (
        "How a report came: `answer`, `query`, `close`, `reverse`, `notification`, `bill` or `operator`.",
        "消息的来源：`answer`（下单的回答）、`query`（查询）、`close`（关单）、`reverse`（撤销）、`notification`（平台通知）、`bill`（账单）或 `operator`（人工）。",
    ),
    (
        "How much a report proves: `weak`, `shared` or `strong`.",
        "证明力：`weak`、`shared` 或 `strong`。",
    ),
    (
        "What a report says: `accepted`, `success`, `not_paid`, `user_paying`, `closed`, `revoked`, `pay_error`, `refused`, `not_found` or `unknown`; of a refund also `processing`, `succeeded`, `abnormal` or `not_yet`.",
        "消息的内容：`accepted`、`success`、`not_paid`、`user_paying`、`closed`、`revoked`、`pay_error`、`refused`、`not_found` 或 `unknown`；退款还有 `processing`、`succeeded`、`abnormal` 或 `not_yet`。",
    ),
    (
        "What came, or is to go back, in fen.",
        "收到或要退还的金额，分。",
    ),
    (
        "Why it came to nothing, or why nothing is known; of a person's decision, the reason.",
        "没有成功的原因，或结果未知的原因；人工处理时，是处理的理由。",
    ),
    // Webhooks
    ("Where the events go.", "通知发往的地址。"),
    (
        "What is left out stays as it is. Of two changes at the same time the later one counts.",
        "未提及的项保持不变。同时有两次修改时，以后到的为准。",
    ),
    (
        "Nothing is sent while it is off; what waits goes out when it is on again.",
        "关闭时不发送；重新打开后，等待中的会发出。",
    ),
    (
        "Only these; empty means all.",
        "只接收这些类型；空表示全部。",
    ),
    (
        "The signing secret, `whsec_…`; only in the answer that creates it.",
        "签名密钥，`whsec_…`；只在创建时返回。",
    ),
    (
        "An absolute http or https address.",
        "完整的 http 或 https 地址。",
    ),
    (
        "Only these types of events; all when left out or empty.",
        "只接收这些类型；省略或为空表示全部。",
    ),
    ("A new address.", "新的地址。"),
    ("Whether anything is sent.", "是否发送。"),
    (
        "Only these types of events; all when empty.",
        "只接收这些类型；为空表示全部。",
    ),
    ("From here on, RFC 3339.", "从此时起，RFC 3339。"),
    ("Before this, RFC 3339.", "到此时为止（不含），RFC 3339。"),
    (
        "They go out now, under the same ids as before.",
        "正在发送的数目，编号不变。",
    ),
    (
        "Goes out as `webhook-id`, the same in every try.",
        "即 `webhook-id`，每次重试都相同。",
    ),
    (
        "`payment.paid`, `payment.closed`, `refund.succeeded`, `refund.failed`, `case.opened`, `case.needs_person` or `case.resolved`.",
        "`payment.paid`（已付款）、`payment.closed`（已关闭）、`refund.succeeded`（退款成功）、`refund.failed`（退款未成功）、`case.opened`（出现异常）、`case.needs_person`（异常需要人工）或 `case.resolved`（异常已了结）。",
    ),
    ("Of which payment.", "属于哪笔付款。"),
    (
        "Rises with every change of the payment.",
        "付款每次变化都会增大。",
    ),
    ("When it became true, RFC 3339.", "发生的时间，RFC 3339。"),
    ("The body that is signed and sent.", "签名并发送的内容。"),
    ("How it fared at each endpoint.", "在每个端点的投递情况。"),
    ("Where.", "端点。"),
    (
        "`pending`, `delivered` or `exhausted`.",
        "`pending`（等待）、`delivered`（已送达）或 `exhausted`（重试用尽）。",
    ),
    (
        "When it is tried next, while it is pending, RFC 3339.",
        "下次投递的时间，RFC 3339。",
    ),
    ("Every try, oldest first.", "每次投递，从早到晚。"),
    ("When it was sent, RFC 3339.", "发送时间，RFC 3339。"),
    (
        "The headers that were sent, one a line.",
        "发送的请求头，每行一个。",
    ),
    (
        "The HTTP status of the answer, if there was one.",
        "回答的 HTTP 状态码，如果有。",
    ),
    (
        "The beginning of the answer, or what went wrong.",
        "回答的开头，或出错的原因。",
    ),
    ("How long it took, in milliseconds.", "耗时，毫秒。"),
    // Channels
    ("Which protocol: `wechat_v2`.", "协议：`wechat_v2`。"),
    ("Your name for it.", "您给它起的名称。"),
    (
        "Your name for it; its kind when left out.",
        "您给它起的名称；默认为种类。",
    ),
    (
        "No new attempts while it is off; what has begun goes on.",
        "关闭时不再用于新的尝试，已经开始的继续。",
    ),
    (
        "What it takes before a notification may set \"paid\": `query` (a query confirms it) or `signature` (a good signature is enough).",
        "平台通知要怎样才能算作已付款：`query`（再查询一次确认）或 `signature`（签名正确即可）。",
    ),
    ("The settings that are no secret.", "不保密的设置。"),
    (
        "Where the platform sends its notifications: sent with every order, or to be pasted into the platform's back office.",
        "平台发送通知的地址：随订单发送，或填到平台后台。",
    ),
    (
        "Names and texts, in the platform's own spelling. Secrets are sealed before they are stored, and never shown again.",
        "名称和值，用平台自己的写法。密钥加密后保存，不再显示。",
    ),
    (
        "`query` (default) or `signature`.",
        "`query`（默认）或 `signature`。",
    ),
    (
        "Whether new attempts may use it; `true` when left out.",
        "是否用于新的尝试，默认 `true`。",
    ),
    ("A new name.", "新的名称。"),
    (
        "These settings, in the place of those of the same name.",
        "用这些设置替换同名的设置。",
    ),
    ("`query` or `signature`.", "`query` 或 `signature`。"),
    ("Whether new attempts may use it.", "是否用于新的尝试。"),
    (
        "Orders can be placed, as far as can be told without one.",
        "是否可以下单（不实际下单所能判断的）。",
    ),
    (
        "Stable: `ok`, `bad_key`, `unknown_account`, `unreachable`, …",
        "稳定的代码：`ok`、`bad_key`、`unknown_account`、`unreachable` 等。",
    ),
    ("What was seen.", "看到的情况。"),
    ("What to do.", "怎么办。"),
    ("The account that it came to.", "收到消息的渠道账户。"),
    (
        "`applied`, `repeated`, `hint` (a query was asked), `case` or `refused` (nothing was changed).",
        "`applied`（已采用）、`repeated`（重复）、`hint`（引发一次查询）、`case`（异常）或 `refused`（拒绝，没有任何改变）。",
    ),
    (
        "Why it was refused: a stable word.",
        "拒绝的原因，稳定的代码。",
    ),
    ("The payment that it speaks of.", "所说的付款。"),
    ("How often the same message came.", "同一条消息来过几次。"),
    (
        "When it came first, RFC 3339.",
        "第一次收到的时间，RFC 3339。",
    ),
    (
        "When it came last, RFC 3339.",
        "最后一次收到的时间，RFC 3339。",
    ),
    ("What came, or its beginning.", "消息的内容，或其开头。"),
    // Cases
    ("Reads a case", "查询异常"),
    ("Decides about a case", "处理异常"),
    (
        "For people. Who decided what and why is kept with the case and in the payment's timeline. `refund` answers when the platform has been asked: the case is `refunding` until a query says that the payer has the money, and the webhook `case.resolved` tells of it. The same money never goes back twice, whoever decides.",
        "供人工使用。谁、为什么、做了什么决定，都记在异常和付款的时间线里。`refund` 在问过平台后即回答：在查询确认付款人已收到钱之前，异常为 `refunding`，之后由通知 `case.resolved` 告知。无论由谁决定，同一笔钱绝不会退两次。",
    ),
    ("`case_…`", "异常的编号，`case_…`"),
    (
        "`open`, `refunding`, `needs_person` or `resolved`; `unresolved` for all but the last.",
        "`open`、`refunding`、`needs_person` 或 `resolved`；`unresolved` 表示除最后一种以外的全部。",
    ),
    (
        "`refund` (the money goes back, whatever the limits), `accept` (you keep it; a closed payment of that amount is paid by it) or `dismiss` (it is settled elsewhere).",
        "`refund`（退回，不受限额约束）、`accept`（留下；金额相符的已关闭付款由此变为已付款）或 `dismiss`（已在别处处理）。",
    ),
    (
        "Why, for your own people; 1 to 512 bytes of UTF-8.",
        "原因，供您自己的人查看；1 至 512 字节的 UTF-8。",
    ),
    (
        "`case_resolved`, `case_refunding`, `case_refund_may_revive`, `case_unconfirmed`, `case_not_refundable`, `case_not_acceptable`, or the channel has no certificate for it",
        "`case_resolved`、`case_refunding`、`case_refund_may_revive`、`case_unconfirmed`、`case_not_refundable`、`case_not_acceptable`，或渠道没有商户证书",
    ),
    (
        "`open` (the gateway is at it), `refunding`, `needs_person` or `resolved`.",
        "`open`（网关正在处理）、`refunding`（退款中）、`needs_person`（需要人工）或 `resolved`（已了结）。",
    ),
    (
        "Why a person must look: a stable code, and cause and cure.",
        "为什么需要人工：稳定的代码，以及原因和办法。",
    ),
    (
        "`off`, `case_limit`, `day_limit`, `currency`, `channel_cannot`, `refund_abnormal`, `refund_waits`, `refund_failed`, `second_receipt` or `unknown_payment`.",
        "`off`（自动退款已关闭）、`case_limit`（超过单笔限额）、`day_limit`（超过当日限额）、`currency`（不是人民币）、`channel_cannot`（渠道没有证书）、`refund_abnormal`（付款人账户异常）、`refund_waits`（渠道一小时仍未受理退款，网关用原退款号继续重试）、`refund_failed`（退款未成功）、`second_receipt`（同一订单号的第二笔钱）或 `unknown_payment`（未知订单）。",
    ),
    ("Cause and cure.", "原因和办法。"),
    (
        "The refund of its money, or that it is about.",
        "退还这笔钱的退款，或它所关于的退款。",
    ),
    (
        "`refunded`, `accepted` (the merchant keeps it), `dismissed` or `disproved` (a message had claimed it, and the platform says otherwise).",
        "`refunded`（已退回）、`accepted`（商户留下）、`dismissed`（不予处理）或 `disproved`（消息声称如此，平台否认）。",
    ),
    ("What a person decided last.", "最近一次人工决定。"),
    (
        "`refund`, `accept` or `dismiss`.",
        "`refund`、`accept` 或 `dismiss`。",
    ),
    (
        "The API key that it came with, `key_…`.",
        "所用的接口密钥，`key_…`。",
    ),
    ("Why.", "原因。"),
    (
        "What a person decided about a case: `refund`, `accept` or `dismiss`.",
        "人工对异常的决定：`refund`、`accept` 或 `dismiss`。",
    ),
    (
        "Who decided: the API key, `key_…`.",
        "谁决定的：接口密钥，`key_…`。",
    ),
    (
        "Of a case's money: the case's kind. It is told as the case's end, not as a refund's.",
        "属于异常的钱：异常的种类。它的结果作为异常的结果通知，不作为退款通知。",
    ),
    // Settings
    ("Merchant", "商户"),
    (
        "What you decided once for all payments.",
        "对所有付款一次定下的事。",
    ),
    ("Reads your settings", "查询设置"),
    ("Changes your settings", "修改设置"),
    (
        "They hold from the next decision on. What is set in the gateway's configuration comes back with its next start.",
        "从下一个决定起生效。网关配置文件里写明的设置，在下次启动时恢复。",
    ),
    ("As they stand", "当前设置"),
    ("As they stand now", "修改后的设置"),
    (
        "What payers read on the checkout page.",
        "付款人在收银台页面上看到的名称。",
    ),
    (
        "A payment that comes after the close is kept, and paid, instead of sent back.",
        "关闭之后收到的付款予以保留并记为已付款，而不退回。",
    ),
    (
        "Money of cases that goes back without a person.",
        "无需人工即可退回的异常款。",
    ),
    (
        "The switch. Off, a person decides on every case.",
        "开关。关闭时每个异常都由人工决定。",
    ),
    (
        "At most so much of one case, in fen.",
        "每个异常的上限，分。",
    ),
    (
        "At most so much in one day of China, in fen. Every automatic refund of the day counts, whatever became of it.",
        "每天（北京时间）的上限，分。当天的每一笔自动退款都计入，无论结果如何。",
    ),
    (
        "Whether a payment that comes after the close is kept, and paid.",
        "关闭之后收到的付款是否保留并记为已付款。",
    ),
    ("The switch.", "开关。"),
    (
        "At most so much in one day of China, in fen.",
        "每天（北京时间）的上限，分。",
    ),
    (
        "`amount_mismatch`, `paid_twice`, `paid_after_close`, `unknown_payment` or `refund_abnormal`.",
        "`amount_mismatch`（金额不符）、`paid_twice`（重复付款）、`paid_after_close`（关闭后付款）、`unknown_payment`（未知订单）或 `refund_abnormal`（退款异常）。",
    ),
    (
        "`refund`: the money goes back; `review`: a query or a person decides.",
        "`refund`：退回；`review`：等查询或人工决定。",
    ),
    ("The payment it came for.", "所属的付款。"),
    ("The attempt it came by.", "所属的尝试。"),
    ("The account that received it.", "收到钱的渠道账户。"),
    (
        "The number under which the platform has it.",
        "平台所知的订单号。",
    ),
    (
        "What came, in the smallest unit of `currency`.",
        "收到的金额，以 `currency` 的最小单位计。",
    ),
    ("What it is an amount of.", "币种。"),
    (
        "How we heard: `answer`, `query`, `close`, `reverse`, `notification`, `bill` or `operator`.",
        "得知的途径：`answer`、`query`、`close`、`reverse`、`notification`、`bill` 或 `operator`。",
    ),
    ("RFC 3339.", "时间，RFC 3339。"),
    // Errors
    ("The case is resolved", "异常已了结"),
    ("The money is on its way back", "钱正在退回"),
    (
        "The money may have gone back all the same",
        "这笔钱仍有可能已经退回",
    ),
    (
        "The platform has not confirmed the money",
        "平台尚未确认这笔钱",
    ),
    (
        "The money cannot be sent back from here",
        "这笔钱不能从这里退回",
    ),
    ("There is no money to keep", "没有可以留下的钱"),
    ("The body is not JSON", "请求体不是 JSON"),
    ("The body could not be read", "请求体无法读取"),
    (
        "The Idempotency-Key cannot be used",
        "Idempotency-Key 不可用",
    ),
    ("The API key is missing or unknown", "密钥缺失或不正确"),
    ("The request came from another site", "请求来自别的网站"),
    ("There is no such thing", "不存在"),
    ("Nothing is at this address", "这个地址没有内容"),
    (
        "The address does not take this method",
        "这个地址不接受该方法",
    ),
    (
        "The order number belongs to another order",
        "订单号已属于别的订单",
    ),
    ("The channel has no app_secret", "渠道没有填写 app_secret"),
    (
        "The platform does not take the channel's app_secret",
        "平台不接受渠道的 app_secret",
    ),
    (
        "The platform does not answer the channel's app_id",
        "平台不受理渠道的 app_id",
    ),
    (
        "The payer's login code was used before",
        "付款人的登录凭证已被使用",
    ),
    (
        "The payer's login code is too old",
        "付款人的登录凭证已过期",
    ),
    ("The platform blocks the payer", "平台限制了该付款人"),
    (
        "The payer sees a preview of the page",
        "付款人看到的是网页快照",
    ),
    (
        "The platform does not know the payer's login code",
        "平台不认识付款人的登录凭证",
    ),
    (
        "The platform has been asked too often",
        "对平台的调用过于频繁",
    ),
    (
        "The platform did not say who the payer is",
        "平台没有说明付款人是谁",
    ),
    ("The platform is busy", "平台繁忙"),
    ("The platform cannot be reached", "无法连接平台"),
    ("The payment is paid", "付款已完成"),
    ("The payment is closed", "付款已关闭"),
    ("The payment is not paid", "付款尚未支付"),
    (
        "Less than that is left of the payment",
        "付款的可退余额不足",
    ),
    ("The payment has too many refunds", "付款的退款次数过多"),
    (
        "The refund number belongs to another refund",
        "退款单号已属于另一笔退款",
    ),
    (
        "The channel has no client certificate",
        "渠道没有配置商户证书",
    ),
    ("The payment's time is up", "付款已过期"),
    ("This way of paying is open already", "这种付款方式已经打开"),
    ("The payment has too many attempts", "尝试次数过多"),
    ("The body is too large", "请求体过大"),
    ("The body's type is not taken", "不接受这种类型的请求体"),
    ("There is no such field", "没有这个字段"),
    ("A field comes twice", "字段重复"),
    ("A field is missing", "缺少字段"),
    (
        "The Idempotency-Key came with another request",
        "Idempotency-Key 已用于别的请求",
    ),
    ("No channel can take it", "没有渠道能收这笔款"),
    ("The gateway failed", "网关内部出错"),
    ("Others are changing the same thing", "有别的请求正在修改"),
    ("The gateway cannot do this now", "网关暂时无法处理"),
];
