import { Document, visit } from 'yaml';
import { configLeaves } from './config-leaves.ts';
import { annotations, MASK } from './schema.ts';
import type { Config } from './settings.ts';
import { defaultSink } from './sink-settings.ts';

/**
 * The effective settings as YAML, in the order of the reference. Loading the text gives the same settings, but
 * for secrets: they are masked.
 */
export function printConfig(config: Config): string {
  const document = new Document(config);
  for (const { path, schema, value } of configLeaves(config)) {
    if (annotations(schema).secret === true && value !== null) document.setIn(path, MASK);
  }
  // no sinks at all must be said, or the default one would be back
  if (Object.keys(config.sinks).length === 0) document.set('sinks', { [defaultSink.name]: null });
  visit(document, {
    Seq: (_key, node) => {
      node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
