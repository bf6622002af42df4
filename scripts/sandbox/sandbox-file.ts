/** What the sandbox has to know of providers.config.yaml before the gateway reads it. */
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

/** Null when it cannot be read: what is wrong with it is told, with its line, by the gateway that reads it next. */
export const readSandboxFile = (): SandboxFile => {
  try {
    return parse(readFileSync(configFile(), 'utf8'), { merge: true }) as SandboxFile;
  } catch {
    return null;
  }
};

/** Whether a provider's block names this machine. At any other address there is a real company. */
export const isOnThisMachine = ({ base_url: address }: SandboxBlock): boolean => {
  const host = typeof address === 'string' ? URL.parse(address)?.hostname.replaceAll(/^\[|\]$/g, '') : undefined;
  return host !== undefined && (host === 'localhost' || isLoopback(host));
};
