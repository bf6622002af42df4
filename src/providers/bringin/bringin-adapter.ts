import type { AccountAdapter, AdapterDeps, Catalogue, SellAdapter } from '../spec.ts';
import { adoptKey, balance, readAccount, startAccount } from './bringin-account.ts';
import { bringinConnections } from './bringin-connections.ts';
import type { Rail } from './bringin-mapping.ts';
import { placeOrder, quote, readOrders, transactions } from './bringin-orders.ts';
import type { LogField } from './bringin-api.ts';
import type { BringinSettings } from './bringin-settings.ts';

const names: Record<Rail, string> = { sepa: 'SEPA', card: 'Card balance' };

/** Makes the listing, since Bringin has none: what it sells is known, and its limits are settings. */
const catalogueOf = (settings: BringinSettings): Catalogue => ({
  features: { quotes: false, estimates: true, on_chain_fallback: false, webhook: settings.api_secret_env !== undefined },
  options: settings.options.map((rail) => {
    const { min_fiat: min, max_fiat: max } = settings[rail];
    const most = max === undefined ? {} : { maxFiat: BigInt(max) };
    return { currency: 'EUR', name: names[rail], upstream: { rail }, feePpm: settings.fee_ppm, minFiat: BigInt(min), ...most };
  }),
});

export type BringinAdapter = SellAdapter & AccountAdapter & Required<Pick<AccountAdapter, 'adoptKey'>>;

export const createBringinAdapter = (deps: AdapterDeps<LogField>, settings: BringinSettings): BringinAdapter => {
  const bringin = { deps, settings };
  return {
    catalogue: () => Promise.resolve({ ok: true, value: catalogueOf(settings) }),
    quote: async (context, request) => await quote(bringin, context, request),
    placeOrder: async (context, request) => await placeOrder(bringin, context, request),
    readOrders: async (context, order) => await readOrders(bringin, context, order),
    takes: ['email'],
    knownBy: 'email',
    pageHosts: settings.signup_hosts,
    startAccount: async (context, request) => await startAccount(bringin, context, request),
    readAccount: async (context) => await readAccount(bringin, context),
    adoptKey: async (context, request) => await adoptKey(bringin, context, request),
    balance: async (context) => await balance(bringin, context),
    transactions: async (context, request) => await transactions(bringin, context, request),
    connections: bringinConnections(bringin),
  };
};
