import { showHealth } from '../gateway/catalogue/report-providers.ts';
import type { Gateway } from '../ports/gateway.ts';
import { version } from './compose.ts';
import type { Gauge } from './gauges.ts';

const circuitStates = { closed: 0, 'half-open': 1, open: 2, off: 3 } as const;

/** `poolSize`: the most connections that the process opens to the database. */
type Figures = { background: number; poolSize: number; isDatabaseUp: boolean };

/** Returns the gauges of this process. */
export const instanceGauges = (gateway: Gateway, { background, poolSize, isDatabaseUp }: Figures): Gauge[] => [
  {
    name: 'build_info',
    help: 'The version of the gateway; the value is always 1',
    labels: { version, node: process.version, instance_id: gateway.state.instance, mode: gateway.settings.mode },
    value: 1,
  },
  { name: 'background_work', help: 'Work that continues after its response was sent', value: background },
  {
    name: 'database_up',
    help: 'Whether the database answered this scrape; without it, the figures from the database are missing',
    value: isDatabaseUp ? 1 : 0,
  },
  { name: 'database_pool_size', help: 'The most connections that this instance opens to the database', value: poolSize },
  ...gateway.providers.flatMap((one) =>
    Object.entries(showHealth(one).circuits).map(([operation, state]) => ({
      name: 'provider_circuit_state',
      help: 'What the circuit lets through: 0 all calls (closed), 1 one probe (half-open), 2 none (open), 3 no prices, because our credentials are refused',
      labels: { provider: one.id, operation },
      value: circuitStates[state],
    })),
  ),
];
