/** What each operation does, for those who call. One without a text does not build, nor does a text without an operation. */

export const tags = {
  Session: 'GET /verify, then POST /session. Every other call names the session.',
  Buy: 'Buy sats: /payment-options → /offers or /quote → /order → /order-status → /withdrawal. FLS01 `fiat_on_ramp` v1.0, with more members.',
  Decision: 'Why an offer won.',
  Sell: 'Sell sats: /sell/payment-options → /sell/offers or /sell/quote → once, if the offer requires them: /sell/accounts, /sell/connections, /sell/connection-confirm → /sell/order → /sell/order-status.',
  Liquidity: 'Lightning channels and top-ups: /liquidity/products → /liquidity/offers, estimates or `firm` → /liquidity/order → /liquidity/order-status.',
  Webhooks: 'How the gateway tells a wallet that something happened.',
  Receipts: 'How anybody checks what the gateway signed.',
  Service: 'The gateway itself.',
  Operator: 'For the operator, with a token. Anybody else gets the answer of an unknown path.',
} as const;
export type Tag = keyof typeof tags;

type Text = { tag: Tag; summary: string; description: string };

const once = 'The same quote again gets the same bytes, from any session of the customer. Nothing is ordered twice.';
const bounds = 'An order that differs too much from its quote is withheld: 409 price-changed, with fresh offers.';
const states = 'With order_id only that order. Read again when next_check_on has passed: before, the answer is the same.';

export const operations: { readonly [id: string]: Text } = {
  getFeatures: { tag: 'Buy', summary: 'Supported features', description: 'What at least one provider supports, in FLS01’s form.' },
  beginSession: {
    tag: 'Session',
    summary: 'Begin a session',
    description: 'Gives a session and the tokens to sign if ownership of a node must or may be proved. Open the session with POST /session.',
  },
  openSession: {
    tag: 'Session',
    summary: 'Open a session',
    description:
      'Opens the session of GET /verify. A purchase needs no proof. To prove a node key, sign every token that is to count and send `node_pubkey` with it. A new customer gets a recovery_secret, once.',
  },
  listPaymentOptions: {
    tag: 'Buy',
    summary: 'List ways to pay',
    description: 'Currencies and ways to pay of all providers together, with the numbers that prices are asked with.',
  },
  listPaymentOptionsByGet: {
    tag: 'Buy',
    summary: 'List ways to pay, by GET',
    description: 'The same by GET, as FLS01’s table says. The session travels in the header X-Session-Id, since no secret may be in a URL.',
  },
  getQuote: {
    tag: 'Buy',
    summary: 'Get the best price',
    description: 'Rank 1 of POST /offers in FLS01’s form. 422 no-offer says who refused, and within which limits somebody would offer.',
  },
  placeOrder: {
    tag: 'Buy',
    summary: 'Order a quote',
    description: `Says how to pay. ${once} ${bounds} Bound the price with min_amount_sats or max_amount_fiat.`,
  },
  getOrders: {
    tag: 'Buy',
    summary: 'Read purchases',
    description: `Purchases of the customer by order id. ${states} While a purchase can be paid, its entry says how: a wallet that was killed resumes from here.`,
  },
  withdraw: {
    tag: 'Buy',
    summary: 'Withdraw a purchase',
    description: 'The LNURL that pays out a filled order. The same request always gets the same link.',
  },
  getOffers: {
    tag: 'Buy',
    summary: 'Get every price',
    description: 'Every provider’s price, ranked, and who was excluded, refused or failed. 200 also when nobody offers.',
  },
  getRoute: {
    tag: 'Decision',
    summary: 'Explain a decision',
    description: 'The stored decision behind a quote or an order, with every figure that ranked the offers, and the signed receipts.',
  },

  listSellPaymentOptions: {
    tag: 'Sell',
    summary: 'List ways to be paid',
    description: 'Currencies and ways to be paid of all sell providers together.',
  },
  getSellOffers: {
    tag: 'Sell',
    summary: 'Get every price of a sale',
    description: 'Every sell provider’s price, ranked. Needs no account: `requires` says what is missing before ordering.',
  },
  getSellQuote: {
    tag: 'Sell',
    summary: 'Get the best price of a sale',
    description: 'Rank 1 of POST /sell/offers. 422 no-offer says who refused, and within which limits somebody would offer.',
  },
  startSellAccount: {
    tag: 'Sell',
    summary: 'Start an account',
    description:
      'Starts or recovers the customer’s account at a sell provider: by e-mail, or by a key from the provider’s own dashboard. The same Idempotency-Key gets the same answer for 24 hours.',
  },
  getSellAccount: { tag: 'Sell', summary: 'Read an account', description: 'The state of the account, with its connections.' },
  removeSellAccount: { tag: 'Sell', summary: 'Remove an account', description: 'Removes the account here. The account at the provider stays.' },
  createSellConnection: {
    tag: 'Sell',
    summary: 'Make a connection',
    description:
      'Asks for a standing link to a bank account (sell) or to a bitcoin address (buy). Most providers send the customer a code: POST /sell/connection-confirm. The same Idempotency-Key gets the same answer for 24 hours.',
  },
  getSellConnections: { tag: 'Sell', summary: 'Read connections', description: 'One connection, or all of an account.' },
  confirmSellConnection: {
    tag: 'Sell',
    summary: 'Confirm with a code',
    description: 'The code from the text message. Confirms what waits for it: the making of the connection, or its end.',
  },
  resendSellConnectionCode: { tag: 'Sell', summary: 'Send another code', description: 'Another text message with a code, if the provider still sends one.' },
  cancelSellConnection: {
    tag: 'Sell',
    summary: 'End a connection',
    description: 'Some providers ask for a code: POST /sell/connection-confirm. Repeating it changes nothing.',
  },
  placeSellOrder: {
    tag: 'Sell',
    summary: 'Order a sale',
    description: `Says where to pay the sats. ${once} ${bounds} Bound the price with min_amount_fiat.`,
  },
  getSellOrders: { tag: 'Sell', summary: 'Read sales', description: `Sales of the customer by order id. ${states}` },
  getSellBalance: { tag: 'Sell', summary: 'Read a balance', description: 'What the account holds at the provider.' },
  listSellTransactions: {
    tag: 'Sell',
    summary: 'List payments',
    description: 'Payments of the account, also those straight to its addresses. Newest first.',
  },

  listLiquidityProducts: {
    tag: 'Liquidity',
    summary: 'List liquidity products',
    description: 'What can be bought, in which sizes, how it is paid, and the nodes to connect to.',
  },
  getLiquidityOffers: {
    tag: 'Liquidity',
    summary: 'Get every price of liquidity',
    description: 'Every seller, ranked by the fee for this request. Estimates by default; `firm` asks for binding prices, of which each node has a few a day.',
  },
  getLiquidityQuote: {
    tag: 'Liquidity',
    summary: 'Get the lowest fee',
    description: 'Rank 1 of POST /liquidity/offers. 422 no-offer says who refused, and within which limits somebody would offer.',
  },
  placeLiquidityOrder: {
    tag: 'Liquidity',
    summary: 'Order liquidity',
    description: `Says what to pay. ${once} Bound the price with max_pay_sats.`,
  },
  getLiquidityOrders: {
    tag: 'Liquidity',
    summary: 'Read liquidity orders',
    description: `Liquidity orders of the customer by order id, with what to redeem. ${states}`,
  },

  listProviders: {
    tag: 'Service',
    summary: 'List providers',
    description: 'The configured providers, what each offers, and how it is doing as this instance sees it.',
  },
  getLiveness: { tag: 'Service', summary: 'Is it alive', description: 'The process answers.' },
  getReadiness: {
    tag: 'Service',
    summary: 'Is it ready',
    description: 'Whether this instance should get requests: database, migrations and configuration are there. A provider’s health does not count.',
  },
  getMetrics: {
    tag: 'Service',
    summary: 'Read metrics',
    description: 'Prometheus’ text format. From loopback, or with METRICS_TOKEN.',
  },
  getOpenApi: { tag: 'Service', summary: 'Read this document', description: 'This document, with an ETag.' },
  getWebhookKeys: {
    tag: 'Webhooks',
    summary: 'List webhook keys',
    description: 'The public keys that sign webhooks. During a rotation old and new keys stand side by side.',
  },
  testWebhook: {
    tag: 'Webhooks',
    summary: 'Test a webhook',
    description: 'Sends one signed `test`, once, and reports how the receiver answered. Signed as real ones are: for an app with a secret, with its HMAC, too.',
  },
  getReceiptKeys: {
    tag: 'Receipts',
    summary: 'List receipt keys',
    description: 'The public keys of receipts and of their days: every key that ever signed one, for good.',
  },
  getReceiptDay: {
    tag: 'Receipts',
    summary: 'Read the root of a day',
    description: 'The signed root over all receipts of a UTC day, once it is closed: ten minutes past midnight.',
  },

  getOperatorOrder: {
    tag: 'Operator',
    summary: 'Where is order X',
    description: 'Every offer, exclusion, refusal and fault, the attempts, events, provider webhooks and deliveries, with secrets masked.',
  },
  searchOperatorOrders: {
    tag: 'Operator',
    summary: 'Find orders',
    description: 'By request id, the provider’s order id, payment reference, UTC day or amount. Each member narrows the search.',
  },
  getOperatorAttention: {
    tag: 'Operator',
    summary: 'What waits for me',
    description: 'Orders in review, order attempts without an outcome, webhooks that were given up on, switches in force.',
  },
  getOperatorRecord: {
    tag: 'Operator',
    summary: 'What providers delivered',
    description: 'What each provider delivered against its quotes, and how much its offers are cut. Counts of the last 24 hours.',
  },
  switchProvider: {
    tag: 'Operator',
    summary: 'Switch a provider',
    description: 'Without a deployment. Every instance obeys within five seconds.',
  },
};
