import { expect, it } from 'vitest';
import { problemOf } from '../../../test/support/memory/gateway.ts';
import { invoiceFrom, pushing } from '../../../test/support/memory/pushing.ts';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { readPayoutTo } from './payout.ts';

const day = 86_400;
const to = (expirySeconds: number) => (now: number) => ['invoice', invoiceFrom(now, { expirySeconds })] as const;

it('an order to an invoice ends so early that money sent at the last moment arrives, and the sats are sent, while the invoice lives', async () => {
  const { order, clock } = pushing({ to: to(day + 3600 + 1800) });
  expect((await order()).expiresOn).toBe(clock.now + 1800_000);
});

it('an invoice that leaves no time to pay is refused', async () => {
  const { order } = pushing({ to: to(day + 3600) });
  expect((await problemOf(order())).code).toBe('payout-unsuitable');
  await expect(pushing({ to: to(day + 3600 + 1) }).order()).resolves.toMatchObject({ stage: 'awaiting_payment' });
});

it('an order that was made so late that its invoice leaves no time to pay is withheld, and that is not its provider’s doing', async () => {
  const { order, declined } = pushing({ to: to(day + 3600 + 2), answersAfterMs: 2000 });
  expect((await problemOf(order())).code).toBe('order-unpayable');
  expect(declined.size).toBe(0);
});

it('an invoice is the destination of one order', async () => {
  const { order } = pushing({ to: to(2 * day) });
  await order();
  expect(await problemOf(order())).toMatchObject({ code: 'payout-unsuitable', more: { errors: [{ pointer: '/payout_to/invoice' }] } });
});

it("a destination at the gateway's own host is refused", async () => {
  const { gateway } = pushing();
  Object.assign(gateway, { settings: { ...gateway.settings, public_url: 'https://ramp.example' } });
  for (const asked of [{ lightning_address: 'alice@RAMP.example' }, { lnurl: encodeLnurl('https://ramp.example/lnurlp/alice') }])
    expect((await problemOf(Promise.resolve().then(() => readPayoutTo(gateway, asked)))).code).toBe('payout-unsuitable');
  expect(readPayoutTo(gateway, { lightning_address: 'alice@wallet.example' })).toMatchObject({ value: 'alice@wallet.example' });
});
