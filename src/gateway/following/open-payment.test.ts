import { expect, it } from 'vitest';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { openPayment } from './show-order.ts';

const gateway = { now: () => 1000, seal: { open: async (text: string) => await Promise.resolve(text) } } as unknown as Gateway;
const shown = async (info: object, more: object): Promise<unknown> =>
  await openPayment(gateway, { id: 'o', final: false, stage: 'awaiting_payment', watch: {}, paymentInfo: JSON.stringify(info), ...more } as unknown as Order);

it('an address is shown until a payment to it is on its way, or a part has arrived: who obeys then pays twice', async () => {
  for (const info of [
    { kind: 'onchain', address: 'a' },
    { kind: 'altcoin', address: 'a' },
    { kind: 'lnurl', lnurl: 'l' },
    { payment_details: { iban: 'x' } },
  ]) {
    expect(await shown(info, {})).toEqual(info);
    expect(await shown(info, { watch: { arriving: true } })).toBeUndefined();
    expect(await shown(info, { stage: 'underpaid' })).toEqual('kind' in info ? undefined : info);
  }
});

it('an invoice is paid once, so it stays', async () => {
  const info = { kind: 'invoice', lightning_invoice: 'lnbc1' };
  for (const more of [{}, { stage: 'underpaid' }, { watch: { arriving: true } }]) expect(await shown(info, more)).toEqual(info);
});
