import { type AgentReport, agentReport } from '@usher/events';

/** Reads what an agent sent; a string says what is wrong with it. */
export function parseReport(raw: unknown): AgentReport | string {
  const result = agentReport.safeParse(raw);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5);
  return issues.map((issue) => `${issue.path.join('.') || 'report'}: ${issue.message}`).join('; ');
}

/** The same for JSON text. */
export function parseReportText(text: string): AgentReport | string {
  try {
    return parseReport(JSON.parse(text));
  } catch {
    return 'report: not JSON';
  }
}
