/** What the sandbox must know about providers.config.yaml before the gateway reads it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { isLoopback } from '../../src/domain/public-address.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const configFile = (): string => process.env['CONFIG_FILE'] ?? join(root, 'providers.config.yaml');

type SandboxFile = {
  mode?: string;
  routing?: { reference?: Record<string, { feeds?: (string | { url?: string })[] }> };
  providers?: Record<string, SandboxBlock | null>;
} | null;
export type SandboxBlock = { kind?: unknown; mode?: unknown; base_url?: unknown; [member: string]: unknown };

/** Reads the file. Returns null if that fails: the gateway, which reads it next, reports the mistake with its line. */
export const readSandboxFile = (): SandboxFile => {
  try {
    return parse(readFileSync(configFile(), 'utf8'), { merge: true }) as SandboxFile;
  } catch {
    return null;
  }
};

/** Returns whether a provider's base_url is on this machine. A provider at any other address is taken for a real company. */
export const isOnThisMachine = ({ base_url: address }: SandboxBlock): boolean => {
  const host = typeof address === 'string' ? URL.parse(address)?.hostname.replaceAll(/^\[|\]$/g, '') : undefined;
  return host !== undefined && (host === 'localhost' || isLoopback(host));
};
