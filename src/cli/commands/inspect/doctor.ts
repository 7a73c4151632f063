import { defineCommand } from '../../command.js';
import { jsonOption } from '../../options.js';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'which runtimes work here, why the others do not, and how fast this machine is',
  options: { json: jsonOption },
  run: async ({ print }, { json }) => {
    const { diagnose } = await import('../../../jobs/inspect/doctor.js');
    const diagnosis = await diagnose();
    if (json) return print(JSON.stringify(diagnosis));
    const { diagnosisLines } = await import('../../views/diagnosis.js');
    print(diagnosisLines(diagnosis));
  },
});
