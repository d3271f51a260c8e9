// Evaluates requests under policies, as IAM does: questions as JSON on stdin, answers on stdout.
//
// { policies: { name: [document] }, questions: [{ policies, boundary?, action, resource, context }] }
// -> [{ result: "Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied", ignored: [condition key] }]

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

// The packages are in the folder that is given, away from this file.
const require = createRequire(pathToFileURL(`${process.argv[2]}/package.json`))
const { runSimulation } = require('@cloud-copilot/iam-simulate')

// iam-simulate 0.1.173 finds the variable part of a condition key behind a slash only, and so
// ignores kms:EncryptionContext:{key}. A principal's tag is compared in the same way.
const input = readFileSync(0, 'utf8').replaceAll('"kms:EncryptionContext:', '"aws:PrincipalTag/context-')
const { account, policies, questions } = JSON.parse(input)
const everything = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }

function named(documents) {
  return documents.map((policy, number) => ({ name: `policy-${number}`, policy }))
}

async function evaluate(question) {
  const { action, resource, context } = question
  const response = await runSimulation({
    request: {
      principal: `arn:aws:iam::${account}:role/function`,
      action,
      resource: { resource, accountId: account },
      contextVariables: Object.fromEntries(context)
    },
    identityPolicies: named(policies[question.policies]),
    permissionBoundaryPolicies: question.boundary && named(policies[question.boundary]),
    serviceControlPolicies: [{ orgIdentifier: 'ou', policies: named([everything]) }],
    resourceControlPolicies: [],
    // KMS asks the key's policy first. The template's leaves the decision to IAM's policies.
    resourcePolicy: action.startsWith('kms:') ? policies.key[0] : undefined
  }, {})
  if (response.resultType === 'error') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(response.errors)}`)
  }
  const results = response.resultType === 'single' ? [response.result] : response.results
  return {
    result: response.overallResult,
    ignored: results.flatMap((each) => each.ignoredContextKeys ?? [])
  }
}

const answers = []
for (const question of questions) {
  answers.push(await evaluate(question))
}
process.stdout.write(JSON.stringify(answers))
