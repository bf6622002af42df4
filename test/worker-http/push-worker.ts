/** The Worker, except that its provider "alpine" pushes its payouts. It shows a payment hash, made of the order's id, once an order is finished. */
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { ProviderModule } from '../../src/providers/spec.ts';
import { pushRamp } from '../support/push-ramp.ts';

const {
  module: [kind, pushing],
  shown,
} = pushRamp('fiat-on-ramp', ['lightning_address', 'onchain']);
shown.get = (id) => ({ payout_id: id.replaceAll('-', '').repeat(2) });
const claiming = providerModules.get(kind);
if (!claiming) throw new Error(`${kind} is not registered`);
// The Worker reads the registry at its first request.
(providerModules as Map<string, ProviderModule>).set(kind, {
  ...claiming,
  create: (deps, settings) => (deps.providerId === 'alpine' ? pushing : claiming).create(deps, settings),
});

export { default } from '../../src/entry/worker.ts';
