import * as z from 'zod';
import type { ProviderModule } from '../providers/spec.ts';
import { providerCore, topLevel } from './providers-config.ts';

type JsonSchema = Record<string, unknown>;

/**
 * Returns the configuration's JSON Schema, for editors: the top level of the file and, for each kind of provider, the members that the
 * gateway reads and those that the kind's module reads.
 */
export const configSchema = (modules: readonly ProviderModule[], toJson: (schema: z.ZodType) => JsonSchema): JsonSchema => {
  const top = toJson(topLevel) as { properties: Record<string, unknown> };
  const core = toJson(providerCore) as { properties: JsonSchema; required?: string[] };
  const kinds = modules.map((module) => {
    const own = toJson(module.settings) as { properties?: JsonSchema; required?: string[] };
    return {
      type: 'object',
      title: module.kind,
      properties: { ...own.properties, ...core.properties, kind: { const: module.kind } },
      required: [...new Set([...(core.required ?? []), ...(own.required ?? [])])],
      additionalProperties: false,
    };
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'ramp-gateway configuration',
    ...top,
    properties: { ...top.properties, providers: { type: 'object', additionalProperties: { oneOf: kinds } } },
  };
};
