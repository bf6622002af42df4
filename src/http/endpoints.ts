import { accountCode, accountConfirm, accountRemove, accounts, accountStatus } from './accounts/accounts.ts';
import type { Endpoint } from './call.ts';
import { features } from './fiat-on-ramp/features.ts';
import { order } from './fiat-on-ramp/order.ts';
import { orderStatus } from './fiat-on-ramp/order-status.ts';
import { paymentOptions, paymentOptionsByGet } from './fiat-on-ramp/payment-options.ts';
import { quote } from './fiat-on-ramp/quote.ts';
import { session } from './fiat-on-ramp/session.ts';
import { verify } from './fiat-on-ramp/verify.ts';
import { withdrawal } from './fiat-on-ramp/withdrawal.ts';
import { offers } from './offers/offers.ts';
import { route } from './offers/route.ts';
import {
  operatorAttention,
  operatorOrder,
  operatorOverview,
  operatorProvider,
  operatorRecord,
  operatorSearch,
  operatorSendWebhook,
  operatorSeries,
  operatorSettle,
  operatorWebhooks,
} from './operator/operator.ts';
import { sellAccountRemove, sellAccounts, sellAccountStatus, sellBalance, sellTransactions } from './sell/accounts.ts';
import { sellConnectionCancel, sellConnectionConfirm, sellConnectionResend, sellConnections, sellConnectionStatus } from './sell/connections.ts';
import { sellOffers, sellQuote } from './sell/offers.ts';
import { sellOrder, sellOrderStatus } from './sell/order.ts';
import { sellPaymentOptions } from './sell/payment-options.ts';
import { liquidityOffers, liquidityProducts, liquidityQuote } from './liquidity/offers.ts';
import { liquidityOrder, liquidityOrderStatus } from './liquidity/order.ts';
import { live, ready } from './service/health.ts';
import { providers } from './service/providers.ts';
import { receiptDay, receiptKeys } from './service/receipts.ts';
import { webhookKeys, webhookTest } from './service/webhooks.ts';

/** Every endpoint of the API. The routing and the OpenAPI document are made from this list. */
export const endpoints: readonly Endpoint[] = [
  features,
  verify,
  session,
  paymentOptions,
  paymentOptionsByGet,
  quote,
  order,
  orderStatus,
  withdrawal,
  offers,
  route,
  accounts,
  accountStatus,
  accountCode,
  accountConfirm,
  accountRemove,
  sellPaymentOptions,
  sellOffers,
  sellQuote,
  sellAccounts,
  sellAccountStatus,
  sellAccountRemove,
  sellConnections,
  sellConnectionStatus,
  sellConnectionConfirm,
  sellConnectionResend,
  sellConnectionCancel,
  sellOrder,
  sellOrderStatus,
  sellBalance,
  sellTransactions,
  liquidityProducts,
  liquidityOffers,
  liquidityQuote,
  liquidityOrder,
  liquidityOrderStatus,
  providers,
  live,
  ready,
  webhookKeys,
  receiptKeys,
  receiptDay,
  webhookTest,
  operatorOverview,
  operatorSeries,
  operatorOrder,
  operatorSettle,
  operatorSearch,
  operatorAttention,
  operatorWebhooks,
  operatorSendWebhook,
  operatorRecord,
  operatorProvider,
];
