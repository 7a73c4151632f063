import { defineCommand } from '../command.js';
import { jsonOption } from '../options.js';

export const models = defineCommand({
  name: 'models',
  summary: 'list the bundled models, or describe a model of your own',
  arguments: [{ name: '[model]', description: 'a model folder or .gguf file' }],
  options: { json: jsonOption },
  run: async ({ print }, { json }, model) => {
    const { bundledModels, loadModel } = await import('../../model/load.js');
    const { describeModel, modelTable } = await import('../views/models.js');
    const sources = model === undefined ? bundledModels().map(({ name }) => name) : [model];
    const described = [];
    for (const source of sources) {
      const loaded = await loadModel(source);
      described.push(describeModel(loaded));
      await loaded.dispose();
    }
    print(json ? JSON.stringify(described) : modelTable(described));
  },
});
