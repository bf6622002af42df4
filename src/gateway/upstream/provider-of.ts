import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Provider } from '../../ports/providers.ts';
import type { ProviderAdapter } from '../../providers/spec.ts';

export const providerOf = (gateway: Gateway, id: string): Provider => {
  const provider = gateway.providers.find((one) => one.id === id);
  if (!provider) throw new Problem('misconfigured', `The provider "${id}" is no longer in the configuration.`);
  return provider;
};

/** Returns the provider's adapter for a ramp. Throws if it has none, which is a defect of the caller. */
export const adapterOf = <R extends Ramp>({ id, adapter }: Provider, ramp: R): NonNullable<ProviderAdapter[R]> => {
  const found = adapter[ramp];
  if (!found) throw new Error(`${id} has no adapter for ${ramp}`);
  return found;
};

/** Returns the hosts whose links we pass on for this provider. */
export const linkHosts = (provider: Provider, configured: string[] | undefined): string[] => configured ?? [new URL(provider.core.base_url).hostname];
