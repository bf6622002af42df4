import type { GatewayConfig } from './providers-config.ts';

/**
 * Returns notes about haircuts below slippage_bps. Instead of routing.indicative_haircut_bps, slippage_bps then counts. A provider's own haircut_bps
 * counts as it is, so its estimates may promise more than its orders deliver.
 */
export const haircutNotes = ({ routing, providers }: GatewayConfig): string[] => {
  const { indicative_haircut_bps: haircut, slippage_bps: slippage } = routing;
  return [
    ...(haircut < slippage
      ? [`routing.indicative_haircut_bps ${haircut} is below routing.slippage_bps ${slippage}: estimates rank ${slippage} basis points lower`]
      : []),
    ...providers.flatMap(({ id, haircut_bps: pinned }) =>
      pinned !== undefined && pinned < slippage
        ? [`providers.${id}.haircut_bps ${pinned} is below routing.slippage_bps ${slippage}: its estimates may promise more than its orders deliver`]
        : [],
    ),
  ];
};
