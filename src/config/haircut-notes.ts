import type { GatewayConfig } from './providers-config.ts';

/**
 * Returns notes about haircuts below slippage_bps. If routing.indicative_haircut_bps is lower, slippage_bps is used instead of it. A provider's own
 * haircut_bps is used even if it is lower; the estimates of that provider may then promise more than its orders deliver.
 */
export const haircutNotes = ({ routing, providers }: GatewayConfig): string[] => {
  const { indicative_haircut_bps: haircut, slippage_bps: slippage } = routing;
  return [
    ...(haircut < slippage
      ? [`routing.indicative_haircut_bps ${haircut} is below routing.slippage_bps ${slippage}: estimates are discounted by ${slippage} basis points instead`]
      : []),
    ...providers.flatMap(({ id, haircut_bps: pinned }) =>
      pinned !== undefined && pinned < slippage
        ? [`providers.${id}.haircut_bps ${pinned} is below routing.slippage_bps ${slippage}: its estimates may promise more than its orders deliver`]
        : [],
    ),
  ];
};
