import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';

export const providerOf = (gateway: Gateway, id: string): Provider => {
  const provider = gateway.providers.find((one) => one.id === id);
  if (!provider) throw new Problem('misconfigured', `The provider "${id}" of this order is no longer in the configuration.`);
  return provider;
};

/** Whose links of this provider are followed. */
export const linkHosts = (provider: Provider, configured: string[] | undefined): string[] => configured ?? [new URL(provider.core.base_url).hostname];
