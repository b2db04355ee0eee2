/**
 * The shape of `google.firebase.fcm.v1.Message`, after its reference page: what the fields are called in JSON and what
 * they may hold. Proto JSON takes `snake_case` and `camelCase` alike.
 */
export type Kind =
  | 'string'
  | 'bool'
  | 'int32'
  | 'number'
  | 'duration'
  | 'timestamp'
  | 'object'
  | { values: readonly string[]; type: string }
  | { map: 'string' }
  | { list: Kind }
  | { fields: Record<string, Kind> }

const strings: Kind = { map: 'string' }
const android = 'google.firebase.fcm.v1.AndroidConfig.'

const androidNotification: Kind = {
  fields: {
    ...fieldsOf('string', 'title', 'body', 'icon', 'color', 'sound', 'tag', 'click_action', 'body_loc_key'),
    ...fieldsOf('string', 'title_loc_key', 'channel_id', 'ticker', 'image', 'id'),
    ...fieldsOf({ list: 'string' }, 'body_loc_args', 'title_loc_args'),
    ...fieldsOf('bool', 'sticky', 'local_only', 'default_sound', 'default_vibrate_timings', 'default_light_settings'),
    ...fieldsOf('bool', 'bypass_proxy_notification'),
    event_time: 'timestamp',
    notification_count: 'int32',
    vibrate_timings: { list: 'duration' },
    notification_priority: {
      type: 'google.firebase.fcm.v1.AndroidNotification.NotificationPriority',
      values: [
        'PRIORITY_UNSPECIFIED',
        'PRIORITY_MIN',
        'PRIORITY_LOW',
        'PRIORITY_DEFAULT',
        'PRIORITY_HIGH',
        'PRIORITY_MAX',
      ],
    },
    visibility: {
      type: 'google.firebase.fcm.v1.AndroidNotification.Visibility',
      values: ['VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'],
    },
    proxy: {
      type: 'google.firebase.fcm.v1.AndroidNotification.Proxy',
      values: ['PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED'],
    },
    light_settings: {
      fields: {
        color: { fields: fieldsOf('number', 'red', 'green', 'blue', 'alpha') },
        ...fieldsOf('duration', 'light_on_duration', 'light_off_duration'),
      },
    },
  },
}

export const messageSchema: Kind = {
  fields: {
    ...fieldsOf('string', 'name', 'token', 'topic', 'condition'),
    data: strings,
    notification: { fields: fieldsOf('string', 'title', 'body', 'image') },
    android: {
      fields: {
        ...fieldsOf('string', 'collapse_key', 'restricted_package_name'),
        ...fieldsOf('bool', 'direct_boot_ok', 'bandwidth_constrained_ok', 'restricted_satellite_ok'),
        priority: { type: `${android}AndroidMessagePriority`, values: ['NORMAL', 'HIGH'] },
        ttl: 'duration',
        data: strings,
        notification: androidNotification,
        fcm_options: { fields: fieldsOf('string', 'analytics_label') },
      },
    },
    webpush: {
      fields: {
        headers: strings,
        data: strings,
        notification: 'object',
        fcm_options: { fields: fieldsOf('string', 'link', 'analytics_label') },
      },
    },
    apns: {
      fields: {
        headers: strings,
        payload: 'object',
        live_activity_token: 'string',
        fcm_options: { fields: fieldsOf('string', 'analytics_label', 'image') },
      },
    },
    fcm_options: { fields: fieldsOf('string', 'analytics_label') },
  },
}

function fieldsOf(kind: Kind, ...names: string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]))
}
