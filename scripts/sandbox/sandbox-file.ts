/** What the sandbox has to know of providers.config.yaml before the gateway reads it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const configFile = (): string => process.env['CONFIG_FILE'] ?? join(root, 'providers.config.yaml');

type SandboxFile = {
  mode?: string;
  routing?: { reference?: Record<string, { feeds?: (string | { url?: string })[] }> };
  providers?: Record<string, { kind?: string; mode?: string }>;
} | null;

/** Null when it cannot be read: what is wrong with it is told, with its line, by the gateway that reads it next. */
export const readSandboxFile = (): SandboxFile => {
  try {
    return parse(readFileSync(configFile(), 'utf8')) as SandboxFile;
  } catch {
    return null;
  }
};
