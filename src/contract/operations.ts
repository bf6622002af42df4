/** Describes each operation to developers who call the API. The build fails if an operation has no description, or a description no operation. */

export const tags = {
  Session: 'GET /verify, then POST /session. The wallet’s later calls send the session’s id.',
  Buy: 'Buy sats: /payment-options → /offers or /quote → /order → /order-status → /withdrawal. FLS01 `fiat_on_ramp` v1.0, with more members.',
  Accounts:
    'Accounts at providers that know their customers, for an offer that requires one: /accounts → /account-code and /account-confirm (if the account needs a code) → /account-status. One account serves all ramps of its provider.',
  Decision: 'Why an offer won.',
  Sell: 'Sell sats: /sell/payment-options → /sell/offers or /sell/quote → /accounts, /sell/connections and /sell/connection-confirm (once, if the offer requires them) → /sell/order → /sell/order-status.',
  Liquidity:
    'Lightning channels and top-ups: /liquidity/products → /liquidity/offers (estimates, or binding prices with `firm`) → /liquidity/order → /liquidity/order-status.',
  Webhooks: 'How the gateway notifies a wallet that something happened.',
  Receipts: 'How anyone can check what the gateway signed.',
  Service: 'The gateway itself.',
  Operator: 'For the operator, who sends a token. Without the token, these paths return 404 like an unknown path.',
} as const;
export type Tag = keyof typeof tags;

type Text = { tag: Tag; summary: string; description: string };

const once = 'Ordering the same quote again, from any session of the customer, returns the same bytes. Nothing is ordered twice.';
const bounds =
  'If the provider’s order does not match a binding quote, or is worse than an estimate by more than is allowed, the gateway withholds that order and returns 409 price-changed, with other offers if there are any.';
const states = 'With order_id, only that order is returned. Before next_check_on the answer usually does not change, so read again after it.';

export const operations: { readonly [id: string]: Text } = {
  getFeatures: { tag: 'Buy', summary: 'Supported features', description: 'Returns the features that at least one provider supports, in the form of FLS01.' },
  beginSession: {
    tag: 'Session',
    summary: 'Begin a session',
    description: 'Returns a new session, and the tokens to sign if the customer must or may prove that they own a node. POST /session opens the session.',
  },
  openSession: {
    tag: 'Session',
    summary: 'Open a session',
    description:
      'Opens the session from GET /verify. A purchase needs a proof only at providers that demand one, or if this gateway requires one. To prove a node key, sign `tokens.gateway` and the token of each provider that is to accept the key, and send the signatures with `node_pubkey`. A new customer gets a recovery_secret, once.',
  },
  listPaymentOptions: {
    tag: 'Buy',
    summary: 'List ways to pay',
    description: 'Lists the currencies and payment options of all providers together, with the numbers to send when you ask for prices.',
  },
  listPaymentOptionsByGet: {
    tag: 'Buy',
    summary: 'List ways to pay, by GET',
    description:
      'Returns the same as POST /payment-options. FLS01 lists this path with GET, so both work. Send the session id in the header X-Session-Id, since a secret must not be in a URL.',
  },
  getQuote: {
    tag: 'Buy',
    summary: 'Get the best price',
    description:
      'Returns the rank 1 offer of POST /offers, in the form of FLS01. 422 no-offer lists the providers that refused, and the limits within which a provider would make an offer.',
  },
  placeOrder: {
    tag: 'Buy',
    summary: 'Order a quote',
    description: `Orders the quote and returns how to pay for it. ${once} ${bounds} Set your own limit with min_amount_sats or max_amount_fiat.`,
  },
  getOrders: {
    tag: 'Buy',
    summary: 'Read purchases',
    description: `Returns the customer’s purchases, keyed by order id. ${states} While a purchase can be paid, its entry includes how to pay, so a wallet that was closed can continue from here.`,
  },
  withdraw: {
    tag: 'Buy',
    summary: 'Withdraw a purchase',
    description: 'Returns the LNURL that pays out a filled order. Repeating the request returns the same link until it expires.',
  },
  getOffers: {
    tag: 'Buy',
    summary: 'Get every price',
    description:
      'Returns every provider’s price, ranked, and the providers that refused, failed or were excluded. The status is 200 even if no provider makes an offer.',
  },
  getRoute: {
    tag: 'Decision',
    summary: 'Explain a decision',
    description: 'Returns the stored decision behind a quote or an order, with every figure that ranked the offers, and the signed receipts.',
  },

  listSellPaymentOptions: {
    tag: 'Sell',
    summary: 'List ways to be paid',
    description: 'Lists the currencies and payment options of all sell providers together.',
  },
  getSellOffers: {
    tag: 'Sell',
    summary: 'Get every price of a sale',
    description: 'Returns every sell provider’s price, ranked. No account is needed: `requires` lists what the customer still needs before ordering.',
  },
  getSellQuote: {
    tag: 'Sell',
    summary: 'Get the best price of a sale',
    description:
      'Returns the rank 1 offer of POST /sell/offers. 422 no-offer lists the providers that refused, and the limits within which a provider would make an offer.',
  },
  startAccount: {
    tag: 'Accounts',
    summary: 'Start an account',
    description:
      'Starts, continues or recovers the customer’s account at a provider. `needs` in the answer names what is still missing: call this operation again with those members. Members that the provider does not ask for are not passed on to it. The same Idempotency-Key returns the same answer for 24 hours.',
  },
  getAccount: { tag: 'Accounts', summary: 'Read an account', description: 'Returns the state of the account, with its connections.' },
  sendAccountCode: {
    tag: 'Accounts',
    summary: 'Send a code',
    description: 'Asks the provider to send the customer a code, by mail or SMS. At most five codes an hour are sent for one account.',
  },
  confirmAccount: {
    tag: 'Accounts',
    summary: 'Confirm with a code',
    description: 'Passes the code on to the provider that sent it. After five wrong codes, a new code must be sent.',
  },
  removeAccount: {
    tag: 'Accounts',
    summary: 'Remove an account',
    description: 'Removes the account from the gateway. The account at the provider remains.',
  },
  startSellAccount: {
    tag: 'Sell',
    summary: 'Start an account at a sell provider',
    description:
      'The older form of POST /accounts, for sell providers only. Starts or recovers the customer’s account at a sell provider, by e-mail or with a key from the provider’s own dashboard. The same Idempotency-Key returns the same answer for 24 hours.',
  },
  getSellAccount: { tag: 'Sell', summary: 'Read an account at a sell provider', description: 'Returns the same as POST /account-status.' },
  removeSellAccount: { tag: 'Sell', summary: 'Remove an account at a sell provider', description: 'Does the same as POST /account-remove.' },
  createSellConnection: {
    tag: 'Sell',
    summary: 'Make a connection',
    description:
      'Asks the provider for a standing link to a bank account (sell) or to a bitcoin address (buy). Most providers send the customer a code, and POST /sell/connection-confirm confirms the connection with it. The same Idempotency-Key returns the same answer for 24 hours.',
  },
  getSellConnections: { tag: 'Sell', summary: 'Read connections', description: 'Returns one connection, or all connections of an account.' },
  confirmSellConnection: {
    tag: 'Sell',
    summary: 'Confirm with a code',
    description:
      'Sends the code from the text message to the provider. The code confirms that the connection is made or, after POST /sell/connection-cancel, that it is ended.',
  },
  resendSellConnectionCode: {
    tag: 'Sell',
    summary: 'Send another code',
    description: 'Asks the provider to send another text message with a code, if the provider still sends codes for this connection.',
  },
  cancelSellConnection: {
    tag: 'Sell',
    summary: 'End a connection',
    description:
      'Ends the connection. Some providers first send the customer a code: pass it to POST /sell/connection-confirm. Repeating the call for an ended connection changes nothing.',
  },
  placeSellOrder: {
    tag: 'Sell',
    summary: 'Order a sale',
    description: `Orders the quote and returns where to pay the sats. ${once} ${bounds} Set your own limit with min_amount_fiat.`,
  },
  getSellOrders: { tag: 'Sell', summary: 'Read sales', description: `Returns the customer’s sales, keyed by order id. ${states}` },
  getSellBalance: { tag: 'Sell', summary: 'Read a balance', description: 'Returns the balance of the account at the provider.' },
  listSellTransactions: {
    tag: 'Sell',
    summary: 'List payments',
    description: 'Lists the payments of the account, including those made straight to its addresses. Newest first.',
  },

  listLiquidityProducts: {
    tag: 'Liquidity',
    summary: 'List liquidity products',
    description: 'Lists the products that can be bought, with their sizes, the ways to pay, and the nodes to connect to.',
  },
  getLiquidityOffers: {
    tag: 'Liquidity',
    summary: 'Get every price of liquidity',
    description:
      'Returns every seller’s price, ranked by the fee for this request. Prices are estimates by default. `firm` asks for binding prices, of which each node gets only a few a day.',
  },
  getLiquidityQuote: {
    tag: 'Liquidity',
    summary: 'Get the lowest fee',
    description:
      'Returns the rank 1 offer of POST /liquidity/offers. 422 no-offer lists the sellers that refused, and the limits within which a seller would make an offer.',
  },
  placeLiquidityOrder: {
    tag: 'Liquidity',
    summary: 'Order liquidity',
    description: `Orders the quote and returns how to pay for it. ${once} Set your own limit with max_pay_sats.`,
  },
  getLiquidityOrders: {
    tag: 'Liquidity',
    summary: 'Read liquidity orders',
    description: `Returns the customer’s liquidity orders, keyed by order id. Where there is something to redeem, the entry has the link. ${states}`,
  },

  listProviders: {
    tag: 'Service',
    summary: 'List providers',
    description: 'Lists the configured providers, what each one offers, and whether this instance can reach it.',
  },
  getLiveness: { tag: 'Service', summary: 'Check that it runs', description: 'Returns 200 while the process is running.' },
  getReadiness: {
    tag: 'Service',
    summary: 'Check that it is ready',
    description:
      'Says whether this instance should receive requests: its database, migrations and configuration must be in order, and it must not be stopping. The health of providers does not count.',
  },
  getMetrics: {
    tag: 'Service',
    summary: 'Read metrics',
    description:
      'Returns the metrics in the text format of Prometheus. Callers must send METRICS_TOKEN as a bearer token. On Node, while no METRICS_TOKEN is set, callers on loopback need no token.',
  },
  getOpenApi: { tag: 'Service', summary: 'Read this document', description: 'Returns this document, with an ETag.' },
  getWebhookKeys: {
    tag: 'Webhooks',
    summary: 'List webhook keys',
    description: 'Lists the public keys that check the signatures of webhooks. During a rotation, both the old and the new keys are listed.',
  },
  testWebhook: {
    tag: 'Webhooks',
    summary: 'Test a webhook',
    description:
      'Sends one signed `test` event, once, and reports how the receiver answered. It is signed like a real event: if the app has a webhook secret, with its HMAC as well.',
  },
  getReceiptKeys: {
    tag: 'Receipts',
    summary: 'List receipt keys',
    description: 'Lists the public keys that check the signatures of receipts and of daily roots. Every key that was ever used stays in the list.',
  },
  getReceiptDay: {
    tag: 'Receipts',
    summary: 'Read the root of a day',
    description: 'Returns the signed root over all receipts of a UTC day. A day is closed after 00:10 UTC of the next day.',
  },

  getOperatorOverview: {
    tag: 'Operator',
    summary: 'How the gateway and its providers are doing',
    description:
      'Returns what needs a person, how each provider is doing (mode, switch, circuits, credentials, requests for prices in the last 15 minutes and 24 hours), and the running instances.',
  },
  getOperatorSeries: {
    tag: 'Operator',
    summary: 'Figures over time',
    description:
      'Returns figures by hour or day: decisions, offers, wins, exclusions, refusals and faults by provider and option; orders by stage; what was delivered of what was quoted. Background work counts the figures, so the newest figures may be some minutes old: see `counted_on`.',
  },
  settleOperatorOrder: {
    tag: 'Operator',
    summary: 'Settle an order',
    description:
      'Does what only a person can decide: names the stage that an order in review is really in, releases a short fill, closes a dispute or an order attempt, or records a proof of payment. Send the `pin` that you saw; if it has changed since, nothing is done.',
  },
  listOperatorWebhooks: {
    tag: 'Operator',
    summary: 'List webhooks by state',
    description: 'Lists webhooks to wallets, the newest first, page by page.',
  },
  sendOperatorWebhook: {
    tag: 'Operator',
    summary: 'Send a webhook now',
    description: 'Makes a webhook due now, under the same id. A dead, disabled or delivered webhook is then tried as often as a new one.',
  },
  getOperatorOrder: {
    tag: 'Operator',
    summary: 'Where an order is',
    description:
      'Returns what is stored about an order: offers, exclusions, refusals and faults, attempts, events, and webhooks in both directions, with secrets masked.',
  },
  searchOperatorOrders: {
    tag: 'Operator',
    summary: 'Find orders',
    description:
      'Finds orders, the newest first, page by page. `anything` takes whatever a person has at hand: an order, quote, attempt, request or customer id, a payment reference, the provider’s order id, a UTC day, or an amount such as `100.50 EUR`. The other members narrow the search.',
  },
  getOperatorAttention: {
    tag: 'Operator',
    summary: 'What needs a person',
    description:
      'Lists what a person should look at, such as orders in review, order attempts without an outcome, webhooks that the gateway gave up on, and switches in force.',
  },
  getOperatorRecord: {
    tag: 'Operator',
    summary: 'What providers delivered',
    description: 'Returns what each provider has delivered compared with its quotes, and how far its offers are discounted. Counts are for the last 24 hours.',
  },
  switchProvider: {
    tag: 'Operator',
    summary: 'Switch a provider',
    description:
      'Changes the mode of a provider without a deployment. Every instance follows within five seconds. With `If-Match`, the change applies only if nobody else has changed the switch meanwhile.',
  },
};
