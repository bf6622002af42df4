import type { Hono } from 'hono';
import { createApp } from '../../src/http/app.ts';
import type { AppOptions } from '../../src/http/platform.ts';
import type { Gateway } from '../../src/ports/gateway.ts';

/** Makes the app with a gateway that has no database, for tests of what is decided before an endpoint reads one. */
export const bareApp = (
  endpoints: Parameters<typeof createApp>[1],
  given: { routing?: object; waitAtMost?: Gateway['waitAtMost']; http?: object; pages?: AppOptions['pages'] },
): Hono => {
  const gateway = {
    settings: { routing: given.routing ?? {} },
    ids: { uuid: () => '1' },
    hash: (text: string) => text,
    now: () => 0,
    count: () => undefined,
    observe: () => undefined,
    log: () => undefined,
    waitAtMost: given.waitAtMost ?? (async (work: Promise<unknown>) => void (await work)),
  } as unknown as Gateway;
  const options = {
    platform: () => ({ gateway, ip: () => undefined }),
    http: { mode: 'live', corsOrigins: new Map(), apps: new Map(), ...given.http },
    pages: given.pages,
  } as unknown as AppOptions;
  return createApp(options, endpoints);
};
