/**
 * Whether a line of the log only says that all went well, or that a caller was refused: functions write one for each call.
 * On hosted they are in its log; in a terminal they would push away what is worth reading.
 */
export function isRoutine(line: string): boolean {
  return (
    /"event":"(answered|drained|refused|files destroyed|devices dropped)"/.test(line) &&
    !/"reason"|"status":5/.test(line)
  )
}
