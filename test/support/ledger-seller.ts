/**
 * A second kind of sell provider, only for tests: no accounts or connections, binding quotes, one invoice per order. It shows that another seller
 * needs no change in http/ or gateway/.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import * as z from 'zod';
import type { CutSignal } from '../../src/domain/cut.ts';
import { requestJson } from '../../src/providers/kit/request-json.ts';
import { defineProvider, type AdapterDeps, type SellAdapter } from '../../src/providers/spec.ts';
import { invoiceOver } from './wallet.ts';

type Sale = { id: string; sats: number; cents: number; fee: number; expiresOn: number; invoice?: string; status: 'new' | 'paid' | 'sent' };

export const startLedgerSeller = async (options: { centsPerBtc: number; feeCents: number }) => {
  const sales = new Map<string, Sale>();
  const app = new Hono();
  app.post('/quote', async (c) => {
    const { sats } = (await c.req.json()) as { sats: number };
    const sale: Sale = {
      id: randomUUID(),
      sats,
      cents: Math.floor((sats * options.centsPerBtc) / 1e8) - options.feeCents,
      fee: options.feeCents,
      expiresOn: Date.now() + 600_000,
      status: 'new',
    };
    sales.set(sale.id, sale);
    return c.json(sale);
  });
  app.post('/orders/:id', (c) => {
    const sale = sales.get(c.req.param('id'));
    if (!sale) return c.json({ error: 'unknown' }, 404);
    sale.invoice ??= invoiceOver(sale.sats, { timestamp: Math.floor(Date.now() / 1000), expirySeconds: 600 });
    return c.json(sale);
  });
  app.get('/orders/:id', (c) => c.json(sales.get(c.req.param('id')) ?? { error: 'unknown' }));
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    sales,
    settle: (id: string, status: Sale['status']): void => void Object.assign(sales.get(id) ?? {}, { status }),
    close: async (): Promise<void> => await new Promise((done) => server.close(() => done())),
  };
};

const saleWire = z.looseObject({
  id: z.string(),
  sats: z.int(),
  cents: z.int(),
  fee: z.int(),
  expiresOn: z.number(),
  invoice: z.string().optional(),
  status: z.enum(['new', 'paid', 'sent']),
});
const settings = z.strictObject({ base_url: z.url() });

const createAdapter = (deps: AdapterDeps, { base_url: base }: z.output<typeof settings>): SellAdapter => {
  const ask = async (signal: CutSignal, method: 'GET' | 'POST', path: string, body?: object) => {
    const reply = await requestJson({ http: deps.http, method, url: `${base}${path}`, signal, schema: saleWire, ...(body === undefined ? {} : { body }) });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    return reply.value;
  };
  const none = { ok: false, refusal: { reason: 'declined' } } as const;
  return {
    catalogue: () =>
      Promise.resolve({
        ok: true,
        value: {
          features: { quotes: true, estimates: false, on_chain_fallback: false, webhook: false },
          options: [{ currency: 'EUR', name: 'SEPA', upstream: {}, feePpm: 0, minFiat: 100n }],
        },
      }),
    quote: async ({ signal }, { fixed, amount }) => {
      if (fixed === 'receive') return { ok: false, refusal: { reason: 'declined' } };
      const sale = await ask(signal, 'POST', '/quote', { sats: Number(amount) });
      const offer = { pay: BigInt(sale.sats), receive: BigInt(sale.cents), fee: BigInt(sale.fee), binding: true, expiresOn: sale.expiresOn };
      return { ok: true, value: { ...offer, upstream: { id: sale.id }, facts: { delivered_to: 'bank_transfer_started' }, requires: [], warnings: [] } };
    },
    placeOrder: async ({ signal }, { offer }) => {
      const { id } = offer.upstream as { id: string };
      const sale = await ask(signal, 'POST', `/orders/${id}`, {});
      return {
        ok: true,
        value: {
          upstreamOrderId: sale.id,
          stage: 'awaiting_payment',
          pay: BigInt(sale.sats),
          receive: BigInt(sale.cents),
          fee: BigInt(sale.fee),
          expiresOn: sale.expiresOn,
          paymentInfo: { kind: 'invoice', value: sale.invoice ?? '', amountSats: BigInt(sale.sats) },
          matchedBy: 'order_id',
        },
      };
    },
    readOrders: async ({ signal }, order) => {
      if (order?.upstreamOrderId === undefined) return { ok: true, value: [] };
      const sale = await ask(signal, 'GET', `/orders/${order.upstreamOrderId}`);
      const stage = { new: 'awaiting_payment', paid: 'filled', sent: 'finished' } as const;
      return { ok: true, value: [{ upstreamOrderId: sale.id, rawStatus: sale.status, stage: stage[sale.status] }] };
    },
    balance: () => Promise.resolve(none),
    transactions: () => Promise.resolve(none),
  };
};

export const ledgerSeller = defineProvider({ kind: 'ledger', ramps: ['sell'], settings, create: (deps, given) => ({ sell: createAdapter(deps, given) }) });
