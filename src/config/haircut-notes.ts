import type { GatewayConfig } from './providers-config.ts';

/** Where an estimate could quote more than it means by as much as the order may get worse, and what the gateway makes of it. */
export const haircutNotes = ({ routing, providers }: GatewayConfig): string[] => {
  const { indicative_haircut_bps: haircut, slippage_bps: slippage } = routing;
  return [
    ...(haircut < slippage
      ? [`routing.indicative_haircut_bps ${haircut} is below routing.slippage_bps ${slippage}: estimates are ranked ${slippage} basis points lower`]
      : []),
    ...providers.flatMap(({ id, haircut_bps: pinned }) =>
      pinned !== undefined && pinned < slippage
        ? [`providers.${id}.haircut_bps ${pinned} is below routing.slippage_bps ${slippage}: its estimates may promise more than their orders keep`]
        : [],
    ),
  ];
};
