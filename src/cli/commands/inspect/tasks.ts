import { defineCommand } from '../../command.js';
import { jsonOption } from '../../options.js';

export const tasks = defineCommand({
  name: 'tasks',
  summary: 'list the shipped tasks',
  options: { json: jsonOption },
  run: async ({ print }, { json }) => {
    const { shippedTasks } = await import('../../../task/files/load.js');
    const { describeTask, taskTable } = await import('../../views/tasks.js');
    const described = (await shippedTasks()).map(describeTask);
    print(json ? JSON.stringify(described) : taskTable(described));
  },
});
