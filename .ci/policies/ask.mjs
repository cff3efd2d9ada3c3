// Asks the policy evaluator every question of the table, and fails where an answer is another than the table's.
//
//   node ask.mjs QUESTIONS
//
// A row is allowed where each of its calls is. A question that the evaluator cannot take is a failure, never a denial.

import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const LEAST_ROWS = 60

const rows = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const wrong = []
const count = { allowed: 0, denied: 0 }
for (const { row, answer, asks } of rows) {
  const results = []
  for (const ask of asks) {
    const result = await runSimulation(ask, {})
    const { action, contextVariables } = ask.request
    const plain = result.resultType === 'single' || (result.resultType === 'wildcard' && ask.request.resource.resource === '*')
    if (!plain) {
      wrong.push(`${row}: ${action} cannot be asked: ${JSON.stringify(result.errors ?? result.resultType)}`)
      continue
    }
    // What the evaluator leaves out of account cannot have been what the answer rests on.
    for (const key of result.result?.ignoredContextKeys ?? []) {
      if (key in contextVariables) wrong.push(`${row}: ${action} knows no ${key}`)
    }
    results.push(result.overallResult)
  }
  const found = results.length === asks.length && results.every((result) => result === 'Allowed') ? 'allowed' : 'denied'
  if (!(answer in count)) wrong.push(`${row}: ${answer} is no answer`)
  else count[answer] += 1
  if (found !== answer) wrong.push(`${row}: ${found} (${results.join(', ')}), and should be ${answer}`)
}
if (rows.length < LEAST_ROWS || count.denied * 2 < rows.length) {
  wrong.push(`${rows.length} rows, ${count.denied} of them denials: at least ${LEAST_ROWS}, half of them denials`)
}
if (wrong.length) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
console.log(`${rows.length} rows as the table says, ${count.allowed} allowed and ${count.denied} denied`)
