import { expect, it } from 'vitest';
import type { Stage } from '../../domain/order.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';
import { countStage } from './count-stage.ts';

const counted = (from: Stage, stage: Stage, ramp: Order['ramp'] = 'sell'): unknown[] => {
  const all: unknown[] = [];
  const count: Gateway['count'] = (name, labels, by = 1) => void all.push([name, Object.values(labels).join(' '), by]);
  const order = { providerId: 'euro', ramp, stage, pay: 250_000n, receive: 22_720n, terms: { currency: 'EUR' } };
  countStage({ count } as Gateway, from, order as Order);
  return all;
};

it('counts the amounts of an order once, when it is delivered, also if it goes straight to finished', () => {
  const stage = (to: Stage) => ['order_stages_total', `euro ${to}`, 1];
  const amounts = [
    ['order_filled_sats_total', 'euro sell', 250_000],
    ['order_filled_fiat_total', 'euro sell EUR', 227.2],
  ];
  expect(counted('awaiting_payment', 'paid')).toEqual([stage('paid')]);
  expect(counted('paid', 'filled')).toEqual([stage('filled'), ...amounts]);
  expect(counted('paid', 'finished')).toEqual([stage('finished'), ...amounts]);
  expect(counted('filled', 'finished')).toEqual([stage('finished')]);
  expect(counted('paid', 'filled', 'liquidity')).toEqual([stage('filled'), ['order_filled_sats_total', 'euro liquidity', 22_720]]);
});
