import type { Context } from 'hono';
import type { Gateway } from '../ports/gateway.ts';
import type { HttpSettings } from './call.ts';
import type { Limiter } from './limiter.ts';

/** What a request runs on. On Node the gateway is always the same; on Workers each request has its own. */
export type Platform = { gateway: Gateway; /** Returns the caller's address. Called only where it is needed. */ ip: () => string | undefined };
export type AppOptions = {
  platform: (c: Context) => Platform | Promise<Platform>;
  http: HttpSettings;
  limiter: Limiter;
  /** Serves the static pages: the documentation, the OpenAPI document, /buy, and the console with its files. Returns undefined for anything else. */
  pages: (request: Request) => Promise<Response | undefined>;
  metrics: (c: Context) => Promise<Response>;
};
