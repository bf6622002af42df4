/**
 * The named schemas of the OpenAPI document. Requests and answers that are not listed here are named after their operation. A vocabulary is
 * `open` if clients must accept values that they do not know (docs/versioning.md).
 */
import type * as z from 'zod';
import * as http from '../http/shapes.ts';
import { featureSet } from '../http/fiat-on-ramp/features.ts';
import { failover } from '../http/fiat-on-ramp/order.ts';
import { amountRange, listedCurrency, optionsAnswer, optionsBody, paymentOption } from '../http/fiat-on-ramp/payment-options.ts';
import { liquidityBody, liquidityProduct, peer, productSizes } from '../http/liquidity/offers.ts';
import { priceBody } from '../http/offers/offers.ts';
import * as operator from '../http/operator/shapes.ts';
import * as orders from '../http/order-shapes.ts';
import * as payments from '../http/payment-shapes.ts';
import * as prices from '../http/price-shapes.ts';
import { problemCode } from '../http/problem-code.ts';
import { action, problemShape, rampProblems, requestError } from '../http/problem-shape.ts';
import { accountBody } from '../http/sell/accounts.ts';
import { connectionBody } from '../http/sell/connections.ts';
import { sellBody } from '../http/sell/offers.ts';
import * as sell from '../http/sell/shapes.ts';
import { readiness } from '../http/service/health.ts';
import * as service from '../http/service/providers.ts';
import { receiptKey } from '../http/service/receipts.ts';
import { webhookKey } from '../http/service/webhooks.ts';
import { webhookEvents } from './webhooks.ts';

/** Open vocabularies: new values may be added at any time. */
export const openWords: { readonly [name: string]: z.ZodType } = {
  ProblemCode: problemCode,
  RefusalReason: prices.refusalReason,
  FaultReason: prices.faultKind,
  ExclusionRule: prices.exclusionRule,
  OfferWarning: prices.offerWarning,
  FillWarning: orders.fillWarning,
  ReviewReason: orders.reviewReason,
  Requirement: prices.condition,
  PayoutKind: http.payoutKind,
  PayoutForm: http.payoutForm,
  HaircutSource: prices.haircutSource,
  PolicyName: prices.policyName,
  DecidedBy: prices.decidedBy,
  TieBreak: prices.tieBreak,
  ReferenceSource: prices.referenceSource,
  FeedState: prices.feedState,
  Learning: prices.learning,
  ReceiptKind: prices.receiptKind,
  DeliveredAs: prices.delivery,
  DeliveredTo: orders.euroDelivery,
  MatchedBy: orders.matchedBy,
  CircuitState: service.circuit,
  ProviderMode: service.providerMode,
  KycLevel: service.kycLevel,
  OperatorHand: prices.operatorHand,
  DeliveryState: operator.deliveryState,
  PlacingState: operator.placing,
};

/** Closed vocabularies: the list is complete, and a value is added only with a new major version. */
const closedWords: { readonly [name: string]: z.ZodType } = {
  Stage: http.stage,
  OrderStatus: http.orderStatus,
  Action: action,
  AccountStatus: sell.accountStatus,
  ConnectionStatus: sell.connectionStatus,
  Direction: sell.direction,
  Network: http.network,
  Product: http.product,
  Ramp: http.ramp,
  BitcoinNetwork: service.bitcoinNetwork,
  Readiness: readiness,
  SwitchMode: operator.switchMode,
};

const units: { readonly [name: string]: z.ZodType } = {
  Sats: http.sats,
  FiatAmount: http.fiat,
  BitcoinPrice: http.btcPrice,
  BasisPoints: http.bps,
  PartsPerMillion: http.ppm,
  Milliseconds: http.milliseconds,
  Seconds: http.seconds,
  Blocks: http.blocks,
  Count: http.count,
  Time: http.time,
  Uuid: http.uuid,
  SessionId: http.sessionId,
  AskedSats: http.askedSats,
  AskedFiatAmount: http.askedFiat,
  AskedBlocks: http.askedBlocks,
  AskedOrNoSats: http.askedOrNoSats,
  ListedNumber: http.smallId,
  MaxWait: http.maxWait,
  Country: http.country,
  ProviderId: http.providerId,
  WebhookUrl: http.webhookUrl,
};

export const schemas: { readonly [name: string]: z.ZodType } = {
  ...Object.fromEntries(Object.values(webhookEvents).map(({ name, schema }) => [name, schema])),
  ...units,
  ...openWords,
  ...closedWords,
  Provider: http.providerRef,
  Problem: problemShape,
  BuyProblem: rampProblems.buy,
  SellProblem: rampProblems.sell,
  LiquidityProblem: rampProblems.liquidity,
  RequestError: requestError,
  ExchangeLimits: prices.limits.exchange,
  LiquidityLimits: prices.limits.liquidity,

  FeatureSet: featureSet,
  PaymentOptionsRequest: optionsBody,
  PaymentOptions: optionsAnswer,
  ListedCurrency: listedCurrency,
  PaymentOption: paymentOption,
  AmountRange: amountRange,

  BuyPriceRequest: priceBody,
  SellPriceRequest: sellBody,
  LiquidityPriceRequest: liquidityBody,
  BuyOffer: prices.buyOffer,
  SellOffer: prices.sellOffer,
  LiquidityOffer: prices.liquidityOffer,
  DeliveryRecord: prices.deliveryRecord,
  BuyQuote: prices.buyQuote,
  SellQuote: prices.sellQuote,
  LiquidityQuote: prices.liquidityQuote,
  BuyOffers: prices.buyOffers,
  SellOffers: prices.sellOffers,
  LiquidityOffers: prices.liquidityOffers,
  ExchangeExclusion: prices.exchangeExclusion,
  ExchangeRefusal: prices.exchangeRefusal,
  LiquidityExclusion: prices.liquidityExclusion,
  LiquidityRefusal: prices.liquidityRefusal,
  ProviderFailure: prices.failure,
  ExchangePolicy: prices.exchangePolicy,
  LiquidityPolicy: prices.liquidityPolicy,
  PriceReference: prices.reference,
  FeedVerdict: prices.feedVerdict,
  Route: prices.route,
  BuyRoute: prices.buyRoute,
  SellRoute: prices.sellRoute,
  LiquidityRoute: prices.liquidityRoute,
  RankedFigures: prices.rankedFigures,
  StoredWindows: prices.storedWindows,
  StoredSums: prices.storedSums,
  Receipt: prices.receipt,
  ReceiptInclusion: prices.inclusion,

  OrdersRequest: http.ordersBody,
  Failover: failover,
  Turn: orders.turn,
  BuyOrder: orders.buyOrder,
  SellOrder: orders.sellOrder,
  LiquidityOrder: orders.liquidityOrder,
  BuyOrders: orders.buyOrders,
  SellOrders: orders.sellOrders,
  LiquidityOrders: orders.liquidityOrders,
  BuyOrderState: orders.buyOrderState,
  SellOrderState: orders.sellOrderState,
  LiquidityOrderState: orders.liquidityOrderState,
  Redemption: orders.redemption,
  Withdrawal: orders.buyWithdrawal,
  FiatPayment: payments.fiatPayment,
  SatsPayment: payments.satsPayment,
  InvoicePayment: payments.invoicePayment,
  LightningAddressPayment: payments.lightningAddressPayment,
  LnurlPayment: payments.lnurlPayment,
  OnchainPayment: payments.onchainPayment,
  AltcoinPayment: payments.altcoinPayment,
  NothingToPay: payments.nothingToPay,

  SellAccountRequest: accountBody,
  SellAccount: sell.accountShape,
  SellConnectionRequest: connectionBody,
  SellConnection: sell.connectionShape,
  OneSellConnection: sell.oneConnection,
  SellConnectionsOfAccount: sell.connectionsOfAccount,
  SellTransaction: sell.transaction,

  LiquidityProduct: liquidityProduct,
  ProductSizes: productSizes,
  Peer: peer,

  ProviderReport: service.providerReport,
  ProviderCurrency: service.providerCurrency,
  ProviderOption: service.providerOption,
  ProviderDisplay: service.providerDisplay,
  Circuits: service.circuits,
  LastFault: service.lastFault,
  WebhookKey: webhookKey,
  ReceiptKey: receiptKey,

  FoundOrder: operator.found,
  OrderDossier: operator.dossier,
  DossierOrder: operator.dossierOrder,
  DossierEvent: operator.dossierEvent,
  DossierPlacing: operator.dossierPlacing,
  DossierTurn: operator.dossierTurn,
  DossierClaim: operator.dossierClaim,
  DossierNotice: operator.dossierNotice,
  DossierDelivery: operator.dossierDelivery,
  DossierRoute: operator.dossierRoute,
  Attention: operator.attention,
  DeadLetter: operator.deadLetter,
  FailingWebhook: operator.failingWebhook,
  IllProvider: operator.illProvider,
  SwitchInForce: operator.switchInForce,
  ProviderSwitch: operator.providerSwitch,
  ProviderRecords: operator.record,
  ProviderRecord: operator.providerRecord,
  PromiseRecord: operator.promiseRecord,
  OptionRecord: operator.optionRecord,
  FillTimes: operator.fillTimes,
  Sums: operator.sums,
};
