import { drawNodes, nodesPage, nodesText } from '../pages/nodes.js';
import { NODES_SCHEMA, type NodesRecord } from '../records/nodes.js';
import { page, pairsFile, type RunFolder } from './types.js';

export const NODES: RunFolder<NodesRecord> = {
  key: 'nodes',
  file: 'nodes.json',
  schema: NODES_SCHEMA,
  sidecars: ({ sites }) => sites.flatMap(({ perExample }) => perExample ?? []),
  lists: pairsFile,
  views: [
    page('nodes.html', 'estimates drawn, exact effects beside them', nodesPage),
    page('nodes.md', 'the same as text', nodesText),
    {
      key: 'sites',
      title: 'a map of every site',
      render: ({ record }) =>
        record.sites.map((site) => ({ file: `${site.site}.svg`, content: drawNodes(record, site) })),
    },
  ],
};
