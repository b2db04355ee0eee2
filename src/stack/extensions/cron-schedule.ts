/** What `cron._parse_schedule` makes of a schedule. For `every` and `on_start` the other fields are null. */
export interface Schedule {
  /** Seconds between two runs. */
  every: number | null
  on_start: boolean | null
  minutes: number[] | null
  hours: number[] | null
  days: number[] | null
  /** The last day of the month, whichever that is. */
  last_day: boolean | null
  /** 1 is January. */
  months: number[] | null
  /** 0 is Sunday. */
  weekdays: number[] | null
  /** Day of month and day of week are both restricted: then either will do. */
  either_day: boolean | null
}

const day = 24 * 60 * 60 * 1000

/** Whether a schedule names this minute, in GMT as pg_cron does. */
export function isDue(schedule: Schedule, minute: Date): boolean {
  const { minutes, hours, days, months, weekdays } = schedule
  if (!minutes || !hours || !days || !months || !weekdays) return false
  const isLastDay = new Date(minute.getTime() + day).getUTCDate() === 1
  const onDay = days.includes(minute.getUTCDate()) || (schedule.last_day === true && isLastDay)
  const onWeekday = weekdays.includes(minute.getUTCDay())
  return (
    minutes.includes(minute.getUTCMinutes()) &&
    hours.includes(minute.getUTCHours()) &&
    months.includes(minute.getUTCMonth() + 1) &&
    (schedule.either_day ? onDay || onWeekday : onDay && onWeekday)
  )
}
