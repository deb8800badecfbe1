// Walks an order through `wechatpay-axios-plugin`, a client that nobody here wrote.
//
//     npm install --prefix target/foreign-node wechatpay-axios-plugin
//     node axios_walk.mjs http://127.0.0.1:8100 target/foreign-node
//
// Only the base URL differs from production. The library verifies the signature of every reply.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [base, modules] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'node_modules', 'anchor.js'));
const { Decorator, Hash, Transformer } = require('wechatpay-axios-plugin');

const HEARD = '<xml><return_code><![CDATA[SUCCESS]]></return_code>'
  + '<return_msg><![CDATA[OK]]></return_msg></xml>';

/** Listens for one notification. */
async function listen() {
  let told;
  const notification = new Promise((tell) => { told = tell; });
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => { body += chunk; }).on('end', () => {
      response.end(HEARD);
      told(body);
    });
  });
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  return { server, notification, url: `http://127.0.0.1:${server.address().port}/notify` };
}

async function control(path, body) {
  const options = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const answer = await fetch(base + path, options);
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

const { wechat } = await control('/_sim/credentials');
const client = Decorator.xmlBased({
  baseURL: `${base}/`, mchid: wechat.mch_id, secret: wechat.api_v2_key, proxy: false,
});
const head = { appid: wechat.app_id, mch_id: wechat.mch_id };
const number = () => `A${randomUUID().replaceAll('-', '').slice(0, 20)}`;
const ask = async (path, fields) => (await client.post(path, { ...head, ...fields })).data;
const shop = await listen();
const place = (outTradeNo, more) => ask('pay/unifiedorder', {
  body: '通宝 - 豆浆',
  out_trade_no: outTradeNo,
  total_fee: 888,
  spbill_create_ip: '127.0.0.1',
  notify_url: shop.url,
  trade_type: 'NATIVE',
  product_id: 'p1',
  ...more,
});

const first = number();
const order = await place(first);
assert.match(order.code_url, /^weixin:\/\/wxpay\/bizpayurl\?pr=/);
assert.equal((await ask('pay/orderquery', { out_trade_no: first })).trade_state, 'NOTPAY');
console.log('placed', order.code_url);

const receipt = await control('/_sim/wallets/alice/pay', { code_url: order.code_url });
const notice = Transformer.toObject(await shop.notification);
const key = Hash.keyObjectFrom(wechat.api_v2_key);
assert.equal(notice.sign, Hash.sign(Hash.ALGO_MD5, notice, key));
assert.equal(notice.transaction_id, receipt.transaction_id);
assert.equal((await ask('pay/orderquery', { out_trade_no: first })).trade_state, 'SUCCESS');
console.log('paid and told', notice.transaction_id);

const second = number();
await place(second, { sign_type: Hash.ALGO_HMAC_SHA256 });
assert.equal((await ask('pay/closeorder', { out_trade_no: second })).result_msg, 'OK');
assert.equal((await ask('pay/orderquery', { out_trade_no: second })).trade_state, 'CLOSED');
console.log('closed');

shop.server.close();
