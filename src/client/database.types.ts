export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "13"
  }
  public: {
    Tables: {
      chat_messages: {
        Row: {
          attachment_ids: string[] | null
          change_seq: number
          client_id: string | null
          content: string | null
          created_at: string
          deleted_at: string | null
          deleted_by: string | null
          edited_at: string | null
          encrypted_content: string | null
          encryption_key_id: string | null
          forwarded_count: number
          forwarded_from: string | null
          id: string
          is_deleted: boolean
          is_edited: boolean
          is_encrypted: boolean
          message_type: string
          metadata: NonNullable<Json>
          reply_to_id: string | null
          room_id: string
          sender_id: string | null
          sender_seq: number
          seq: number
        }
        Insert: {
          attachment_ids?: string[] | null
          change_seq?: number
          client_id?: string | null
          content?: string | null
          created_at?: string
          deleted_at?: string | null
          deleted_by?: string | null
          edited_at?: string | null
          encrypted_content?: string | null
          encryption_key_id?: string | null
          forwarded_count?: number
          forwarded_from?: string | null
          id?: string
          is_deleted?: boolean
          is_edited?: boolean
          is_encrypted?: boolean
          message_type?: string
          metadata?: NonNullable<Json>
          reply_to_id?: string | null
          room_id: string
          sender_id?: string | null
          sender_seq?: number
          seq?: number
        }
        Update: {
          attachment_ids?: string[] | null
          change_seq?: number
          client_id?: string | null
          content?: string | null
          created_at?: string
          deleted_at?: string | null
          deleted_by?: string | null
          edited_at?: string | null
          encrypted_content?: string | null
          encryption_key_id?: string | null
          forwarded_count?: number
          forwarded_from?: string | null
          id?: string
          is_deleted?: boolean
          is_edited?: boolean
          is_encrypted?: boolean
          message_type?: string
          metadata?: NonNullable<Json>
          reply_to_id?: string | null
          room_id?: string
          sender_id?: string | null
          sender_seq?: number
          seq?: number
        }
        Relationships: [
          {
            foreignKeyName: "chat_messages_reply_to_id_fkey"
            columns: ["reply_to_id"]
            isOneToOne: false
            referencedRelation: "chat_messages"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "chat_messages_reply_to_id_fkey"
            columns: ["reply_to_id"]
            isOneToOne: false
            referencedRelation: "message_reads"
            referencedColumns: ["message_id"]
          },
          {
            foreignKeyName: "chat_messages_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "chat_messages_sender_id_fkey"
            columns: ["sender_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      chat_room_members: {
        Row: {
          expires_at: string | null
          has_written: boolean
          joined_at: string
          role: Database["public"]["Enums"]["chat_room_role"]
          room_id: string
          user_id: string
        }
        Insert: {
          expires_at?: string | null
          has_written?: boolean
          joined_at?: string
          role?: Database["public"]["Enums"]["chat_room_role"]
          room_id: string
          user_id: string
        }
        Update: {
          expires_at?: string | null
          has_written?: boolean
          joined_at?: string
          role?: Database["public"]["Enums"]["chat_room_role"]
          room_id?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "chat_room_members_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "chat_room_members_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      chat_rooms: {
        Row: {
          avatar_url: string | null
          closed_at: string | null
          created_at: string
          created_by: string | null
          description: string | null
          direct_key: string | null
          floor_change_seq: number
          floor_seq: number
          history_for_new_members: boolean
          id: string
          last_change_seq: number
          last_message_at: string | null
          last_message_id: string | null
          last_seq: number
          organization_id: string | null
          related_product: string | null
          room_number: string | null
          title: string | null
          topic: string
          topic_epoch: number
          type: Database["public"]["Enums"]["chat_room_type"]
          uncounted_messages: number
          updated_at: string
        }
        Insert: {
          avatar_url?: string | null
          closed_at?: string | null
          created_at?: string
          created_by?: string | null
          description?: string | null
          direct_key?: string | null
          floor_change_seq?: number
          floor_seq?: number
          history_for_new_members?: boolean
          id?: string
          last_change_seq?: number
          last_message_at?: string | null
          last_message_id?: string | null
          last_seq?: number
          organization_id?: string | null
          related_product?: string | null
          room_number?: string | null
          title?: string | null
          topic?: never
          topic_epoch?: number
          type: Database["public"]["Enums"]["chat_room_type"]
          uncounted_messages?: number
          updated_at?: string
        }
        Update: {
          avatar_url?: string | null
          closed_at?: string | null
          created_at?: string
          created_by?: string | null
          description?: string | null
          direct_key?: string | null
          floor_change_seq?: number
          floor_seq?: number
          history_for_new_members?: boolean
          id?: string
          last_change_seq?: number
          last_message_at?: string | null
          last_message_id?: string | null
          last_seq?: number
          organization_id?: string | null
          related_product?: string | null
          room_number?: string | null
          title?: string | null
          topic?: never
          topic_epoch?: number
          type?: Database["public"]["Enums"]["chat_room_type"]
          uncounted_messages?: number
          updated_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "chat_rooms_created_by_fkey"
            columns: ["created_by"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "chat_rooms_organization_id_fkey"
            columns: ["organization_id"]
            isOneToOne: false
            referencedRelation: "organizations"
            referencedColumns: ["id"]
          },
        ]
      }
      guest_stays: {
        Row: {
          checked_out_at: string | null
          code_hash: string
          code_used_at: string | null
          created_at: string
          created_by: string | null
          expires_at: string | null
          guest_name: string
          guest_user_id: string | null
          id: string
          organization_id: string
          room_id: string
          room_number: string
        }
        Insert: {
          checked_out_at?: string | null
          code_hash: string
          code_used_at?: string | null
          created_at?: string
          created_by?: string | null
          expires_at?: string | null
          guest_name: string
          guest_user_id?: string | null
          id?: string
          organization_id: string
          room_id: string
          room_number: string
        }
        Update: {
          checked_out_at?: string | null
          code_hash?: string
          code_used_at?: string | null
          created_at?: string
          created_by?: string | null
          expires_at?: string | null
          guest_name?: string
          guest_user_id?: string | null
          id?: string
          organization_id?: string
          room_id?: string
          room_number?: string
        }
        Relationships: [
          {
            foreignKeyName: "guest_stays_created_by_fkey"
            columns: ["created_by"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "guest_stays_guest_user_id_fkey"
            columns: ["guest_user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "guest_stays_organization_id_fkey"
            columns: ["organization_id"]
            isOneToOne: false
            referencedRelation: "organizations"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "guest_stays_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: true
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
        ]
      }
      key_verifications: {
        Row: {
          id: string
          key_id: string
          verified_at: string
          verified_user_id: string
          verifier_user_id: string
        }
        Insert: {
          id?: string
          key_id: string
          verified_at?: string
          verified_user_id: string
          verifier_user_id: string
        }
        Update: {
          id?: string
          key_id?: string
          verified_at?: string
          verified_user_id?: string
          verifier_user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "key_verifications_verifier_user_id_fkey"
            columns: ["verifier_user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "verified_keys_exist"
            columns: ["verified_user_id", "key_id"]
            isOneToOne: false
            referencedRelation: "user_encryption_keys"
            referencedColumns: ["user_id", "key_id"]
          },
        ]
      }
      media_assets: {
        Row: {
          created_at: string
          declared_mime_type: string
          declared_size_bytes: number
          file_name: string
          id: string
          mime_type: string | null
          owner_id: string | null
          provider: Database["public"]["Enums"]["media_provider"]
          public_id: string
          resource_type: string
          room_id: string | null
          size_bytes: number | null
          state: Database["public"]["Enums"]["media_state"]
          state_changed_at: string
        }
        Insert: {
          created_at?: string
          declared_mime_type: string
          declared_size_bytes: number
          file_name: string
          id?: string
          mime_type?: string | null
          owner_id?: string | null
          provider: Database["public"]["Enums"]["media_provider"]
          public_id: string
          resource_type: string
          room_id?: string | null
          size_bytes?: number | null
          state?: Database["public"]["Enums"]["media_state"]
          state_changed_at?: string
        }
        Update: {
          created_at?: string
          declared_mime_type?: string
          declared_size_bytes?: number
          file_name?: string
          id?: string
          mime_type?: string | null
          owner_id?: string | null
          provider?: Database["public"]["Enums"]["media_provider"]
          public_id?: string
          resource_type?: string
          room_id?: string | null
          size_bytes?: number | null
          state?: Database["public"]["Enums"]["media_state"]
          state_changed_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "media_assets_owner_id_fkey"
            columns: ["owner_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "media_assets_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
        ]
      }
      message_attachments: {
        Row: {
          asset_id: string
          id: string
          message_id: string
          position: number
          room_id: string
        }
        Insert: {
          asset_id: string
          id?: string
          message_id: string
          position: number
          room_id: string
        }
        Update: {
          asset_id?: string
          id?: string
          message_id?: string
          position?: number
          room_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "message_attachments_asset_id_fkey"
            columns: ["asset_id"]
            isOneToOne: false
            referencedRelation: "media_assets"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_attachments_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "chat_messages"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_attachments_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "message_reads"
            referencedColumns: ["message_id"]
          },
        ]
      }
      message_audit: {
        Row: {
          action: string
          actor_id: string | null
          created_at: string
          id: string
          ip_address: unknown
          message_id: string | null
          organization_id: string | null
          reason: string | null
          room_id: string
        }
        Insert: {
          action: string
          actor_id?: string | null
          created_at?: string
          id?: string
          ip_address?: unknown
          message_id?: string | null
          organization_id?: string | null
          reason?: string | null
          room_id: string
        }
        Update: {
          action?: string
          actor_id?: string | null
          created_at?: string
          id?: string
          ip_address?: unknown
          message_id?: string | null
          organization_id?: string | null
          reason?: string | null
          room_id?: string
        }
        Relationships: []
      }
      message_downloads: {
        Row: {
          attachment_id: string
          downloaded_at: string
          message_id: string
          user_id: string
        }
        Insert: {
          attachment_id: string
          downloaded_at: string
          message_id: string
          user_id: string
        }
        Update: {
          attachment_id?: string
          downloaded_at?: string
          message_id?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "message_downloads_attachment_id_fkey"
            columns: ["attachment_id"]
            isOneToOne: false
            referencedRelation: "message_attachments"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_downloads_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "chat_messages"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_downloads_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "message_reads"
            referencedColumns: ["message_id"]
          },
          {
            foreignKeyName: "message_downloads_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      message_mentions: {
        Row: {
          message_id: string
          room_id: string
          user_id: string | null
          user_key: string
        }
        Insert: {
          message_id: string
          room_id: string
          user_id?: string | null
          user_key?: never
        }
        Update: {
          message_id?: string
          room_id?: string
          user_id?: string | null
          user_key?: never
        }
        Relationships: [
          {
            foreignKeyName: "message_mentions_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "chat_messages"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_mentions_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "message_reads"
            referencedColumns: ["message_id"]
          },
          {
            foreignKeyName: "message_mentions_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      message_reactions: {
        Row: {
          created_at: string
          emoji: string
          message_id: string
          room_id: string
          user_id: string
        }
        Insert: {
          created_at?: string
          emoji: string
          message_id: string
          room_id?: string
          user_id?: string
        }
        Update: {
          created_at?: string
          emoji?: string
          message_id?: string
          room_id?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "message_reactions_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "chat_messages"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "message_reactions_message_id_fkey"
            columns: ["message_id"]
            isOneToOne: false
            referencedRelation: "message_reads"
            referencedColumns: ["message_id"]
          },
          {
            foreignKeyName: "message_reactions_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      message_reports: {
        Row: {
          created_at: string
          id: string
          message_id: string
          organization_id: string | null
          reason: string
          reporter_id: string
          room_id: string
          sender_id: string | null
        }
        Insert: {
          created_at?: string
          id?: string
          message_id: string
          organization_id?: string | null
          reason: string
          reporter_id: string
          room_id: string
          sender_id?: string | null
        }
        Update: {
          created_at?: string
          id?: string
          message_id?: string
          organization_id?: string | null
          reason?: string
          reporter_id?: string
          room_id?: string
          sender_id?: string | null
        }
        Relationships: []
      }
      notification_preferences: {
        Row: {
          mentions_break_mute: boolean
          push_enabled: boolean
          quiet_from: string | null
          quiet_until: string | null
          show_preview: boolean
          time_zone: string
          user_id: string
        }
        Insert: {
          mentions_break_mute?: boolean
          push_enabled?: boolean
          quiet_from?: string | null
          quiet_until?: string | null
          show_preview?: boolean
          time_zone?: string
          user_id?: string
        }
        Update: {
          mentions_break_mute?: boolean
          push_enabled?: boolean
          quiet_from?: string | null
          quiet_until?: string | null
          show_preview?: boolean
          time_zone?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "notification_preferences_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: true
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      organization_members: {
        Row: {
          joined_at: string
          organization_id: string
          role: Database["public"]["Enums"]["organization_role"]
          shows_email: boolean
          user_id: string
        }
        Insert: {
          joined_at?: string
          organization_id: string
          role?: Database["public"]["Enums"]["organization_role"]
          shows_email?: boolean
          user_id: string
        }
        Update: {
          joined_at?: string
          organization_id?: string
          role?: Database["public"]["Enums"]["organization_role"]
          shows_email?: boolean
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "organization_members_organization_id_fkey"
            columns: ["organization_id"]
            isOneToOne: false
            referencedRelation: "organizations"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "organization_members_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      organizations: {
        Row: {
          created_at: string
          guest_delete_window: string
          id: string
          max_attachment_bytes: number
          max_attachments: number
          name: string
          slug: string
          undo_window: string
          wipe_messages_of_deleted_accounts: boolean
        }
        Insert: {
          created_at?: string
          guest_delete_window?: string
          id?: string
          max_attachment_bytes?: number
          max_attachments?: number
          name: string
          slug: string
          undo_window?: string
          wipe_messages_of_deleted_accounts?: boolean
        }
        Update: {
          created_at?: string
          guest_delete_window?: string
          id?: string
          max_attachment_bytes?: number
          max_attachments?: number
          name?: string
          slug?: string
          undo_window?: string
          wipe_messages_of_deleted_accounts?: boolean
        }
        Relationships: []
      }
      profiles: {
        Row: {
          avatar_url: string | null
          created_at: string
          email: string | null
          first_name: string
          id: string
          last_name: string
          username: string
        }
        Insert: {
          avatar_url?: string | null
          created_at?: string
          email?: string | null
          first_name?: string
          id: string
          last_name?: string
          username: string
        }
        Update: {
          avatar_url?: string | null
          created_at?: string
          email?: string | null
          first_name?: string
          id?: string
          last_name?: string
          username?: string
        }
        Relationships: []
      }
      read_ranges: {
        Row: {
          from_seq: number
          read_at: string
          room_id: string
          to_seq: number
          user_id: string
        }
        Insert: {
          from_seq: number
          read_at: string
          room_id: string
          to_seq: number
          user_id: string
        }
        Update: {
          from_seq?: number
          read_at?: string
          room_id?: string
          to_seq?: number
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "read_ranges_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "read_ranges_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      user_blocks: {
        Row: {
          blocked_id: string
          blocker_id: string
          created_at: string
        }
        Insert: {
          blocked_id: string
          blocker_id?: string
          created_at?: string
        }
        Update: {
          blocked_id?: string
          blocker_id?: string
          created_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "user_blocks_blocked_id_fkey"
            columns: ["blocked_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "user_blocks_blocker_id_fkey"
            columns: ["blocker_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      user_chat_preferences: {
        Row: {
          archived_at: string | null
          cleared_change_seq: number
          cleared_seq: number
          created_at: string
          cursor_seq: number
          deleted_at: string | null
          hidden_seq: number
          id: string
          is_archived: boolean
          is_deleted: boolean
          is_muted: boolean
          last_delivered_seq: number
          last_read_at: string | null
          last_read_message_id: string | null
          last_read_seq: number
          manually_marked_unread: boolean
          messages_cleared_at: string | null
          muted_until: string | null
          room_id: string
          updated_at: string
          user_id: string
          visible_from_seq: number
        }
        Insert: {
          archived_at?: string | null
          cleared_change_seq?: number
          cleared_seq?: number
          created_at?: string
          cursor_seq?: never
          deleted_at?: string | null
          hidden_seq?: never
          id?: string
          is_archived?: boolean
          is_deleted?: boolean
          is_muted?: boolean
          last_delivered_seq?: number
          last_read_at?: string | null
          last_read_message_id?: string | null
          last_read_seq?: number
          manually_marked_unread?: boolean
          messages_cleared_at?: string | null
          muted_until?: string | null
          room_id: string
          updated_at?: string
          user_id: string
          visible_from_seq?: number
        }
        Update: {
          archived_at?: string | null
          cleared_change_seq?: number
          cleared_seq?: number
          created_at?: string
          cursor_seq?: never
          deleted_at?: string | null
          hidden_seq?: never
          id?: string
          is_archived?: boolean
          is_deleted?: boolean
          is_muted?: boolean
          last_delivered_seq?: number
          last_read_at?: string | null
          last_read_message_id?: string | null
          last_read_seq?: number
          manually_marked_unread?: boolean
          messages_cleared_at?: string | null
          muted_until?: string | null
          room_id?: string
          updated_at?: string
          user_id?: string
          visible_from_seq?: number
        }
        Relationships: [
          {
            foreignKeyName: "user_chat_preferences_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "user_chat_preferences_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      user_devices: {
        Row: {
          id: string
          kind: string
          platform: string
          registered_at: string
          target: string
          user_id: string
        }
        Insert: {
          id?: string
          kind?: string
          platform: string
          registered_at?: string
          target: string
          user_id: string
        }
        Update: {
          id?: string
          kind?: string
          platform?: string
          registered_at?: string
          target?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "user_devices_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      user_encryption_keys: {
        Row: {
          created_at: string
          device_id: string
          expires_at: string | null
          fingerprint: string
          id: string
          is_active: boolean
          key_id: string
          public_key: string
          user_id: string
        }
        Insert: {
          created_at?: string
          device_id: string
          expires_at?: string | null
          fingerprint: string
          id?: string
          is_active?: boolean
          key_id: string
          public_key: string
          user_id: string
        }
        Update: {
          created_at?: string
          device_id?: string
          expires_at?: string | null
          fingerprint?: string
          id?: string
          is_active?: boolean
          key_id?: string
          public_key?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "user_encryption_keys_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: false
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
      user_presence: {
        Row: {
          last_activity: string
          looking_at_room_id: string | null
          online_until: string
          status: string
          user_id: string
        }
        Insert: {
          last_activity?: string
          looking_at_room_id?: string | null
          online_until?: string
          status?: string
          user_id: string
        }
        Update: {
          last_activity?: string
          looking_at_room_id?: string | null
          online_until?: string
          status?: string
          user_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "user_presence_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: true
            referencedRelation: "profiles"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Views: {
      message_reads: {
        Row: {
          message_id: string | null
          read_at: string | null
          room_id: string | null
          user_id: string | null
        }
        Relationships: [
          {
            foreignKeyName: "chat_messages_room_id_fkey"
            columns: ["room_id"]
            isOneToOne: false
            referencedRelation: "chat_rooms"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      add_organization_member: {
        Args: { p_organization_id: string; p_role: string; p_user_id: string }
        Returns: undefined
      }
      add_reaction: {
        Args: { p_emoji: string; p_message_id: string }
        Returns: Json
      }
      add_room_members: {
        Args: { p_room_id: string; p_user_ids: string[] }
        Returns: Json
      }
      archive_chat: {
        Args: { p_archived?: boolean; p_room_id: string }
        Returns: Json
      }
      block_user: { Args: { p_user_id: string }; Returns: undefined }
      calculate_unread_count: {
        Args: { p_room_id: string; p_user_id: string }
        Returns: number
      }
      can_delete_message: {
        Args: { p_hard?: boolean; p_message_id: string }
        Returns: Json
      }
      check_in_guest: {
        Args: {
          p_expires_at?: string
          p_guest_name: string
          p_organization_id: string
          p_room_number: string
        }
        Returns: Json
      }
      check_out_guest: { Args: { p_stay_id: string }; Returns: undefined }
      clear_chat: {
        Args: { p_for_everyone?: boolean; p_room_id: string }
        Returns: Json
      }
      continue_job: {
        Args: { p_job_id: number; p_left: Json; p_queue: string }
        Returns: undefined
      }
      count_calls: { Args: { p_calls?: number }; Returns: string }
      create_attachments: {
        Args: {
          p_files: Json
          p_provider?: Database["public"]["Enums"]["media_provider"]
          p_room_id: string
          p_user_id: string
        }
        Returns: Json
      }
      create_group_chat: {
        Args: {
          p_avatar_url?: string
          p_description?: string
          p_member_ids: string[]
          p_organization_id?: string
          p_title: string
        }
        Returns: Json
      }
      create_organization: {
        Args: { p_name: string; p_slug: string }
        Returns: Json
      }
      delete_attachment: {
        Args: { p_attachment_id: string }
        Returns: undefined
      }
      delete_chat: { Args: { p_room_id: string }; Returns: Json }
      delete_message: {
        Args: { p_hard?: boolean; p_message_id: string; p_reason?: string }
        Returns: Json
      }
      delete_messages: {
        Args: { p_message_ids: string[]; p_reason?: string }
        Returns: Json
      }
      delete_organization: {
        Args: { p_organization_id: string }
        Returns: undefined
      }
      drop_devices: {
        Args: { p_device_ids: string[]; p_registered_before: string }
        Returns: undefined
      }
      edit_message: {
        Args: { p_content: string; p_message_id: string }
        Returns: Json
      }
      fail_job: {
        Args: {
          p_job_id: number
          p_left?: Json
          p_queue: string
          p_reason: string
        }
        Returns: Json
      }
      finish_jobs: {
        Args: { p_job_ids: number[]; p_queue: string }
        Returns: number
      }
      forward_message: {
        Args: { p_message_id: string; p_room_ids: string[] }
        Returns: Json
      }
      get_attachments: {
        Args: { p_attachment_ids: string[]; p_require_all?: boolean }
        Returns: Json
      }
      get_encryption_keys: { Args: { p_user_id: string }; Returns: Json }
      get_messages: {
        Args: {
          p_after_seq?: number
          p_before_seq?: number
          p_limit?: number
          p_room_id: string
        }
        Returns: Json
      }
      get_rooms: {
        Args: {
          p_archived?: boolean
          p_before?: string
          p_before_id?: string
          p_limit?: number
          p_room_id?: string
        }
        Returns: Json
      }
      give_up_strays: {
        Args: { p_public_ids: string[]; p_resource_type: string }
        Returns: number
      }
      heartbeat: {
        Args: { p_lease_seconds?: number; p_room_id?: string }
        Returns: Json
      }
      job_counts: { Args: Record<PropertyKey, never>; Returns: Json }
      join_as_guest: {
        Args: { p_code: string; p_hotel_slug: string; p_room_number: string }
        Returns: Json
      }
      list_guest_stays: {
        Args: {
          p_before_id?: string
          p_limit?: number
          p_open?: boolean
          p_organization_id: string
        }
        Returns: Json
      }
      locate_attachment: { Args: { p_attachment_id: string }; Returns: Json }
      locate_message: { Args: { p_message_id: string }; Returns: Json }
      locate_messages: { Args: { p_message_ids: string[] }; Returns: Json }
      locate_organization: { Args: { p_slug: string }; Returns: Json }
      locate_room: { Args: { p_room_id: string }; Returns: Json }
      mark_delivered: {
        Args: { p_room_id: string; p_seq: number }
        Returns: undefined
      }
      mark_message_read: { Args: { p_message_id: string }; Returns: Json }
      mark_messages_seen: {
        Args: { p_message_ids: string[]; p_room_id: string }
        Returns: Json
      }
      mark_offline: { Args: Record<PropertyKey, never>; Returns: Json }
      mark_read: {
        Args: { p_message_id?: string; p_room_id: string }
        Returns: Json
      }
      mark_rooms_read: { Args: { p_room_ids: string[] }; Returns: Json }
      mark_unread: { Args: { p_room_id: string }; Returns: Json }
      message_page: {
        Args: {
          p_after_id?: string
          p_after_seq?: number
          p_before_id?: string
          p_before_seq?: number
          p_limit?: number
          p_offset?: number
          p_room_id: string
          p_with_deleted?: boolean
          p_with_readers?: boolean
        }
        Returns: Json
      }
      message_receipts: { Args: { p_message_id: string }; Returns: Json }
      mute_chat: {
        Args: { p_muted?: boolean; p_room_id: string; p_until?: string }
        Returns: Json
      }
      online_users: { Args: Record<PropertyKey, never>; Returns: string[] }
      pending_uploads: {
        Args: { p_attachment_ids: string[]; p_user_id: string }
        Returns: Json
      }
      push_deliveries: {
        Args: { p_jobs: Json; p_limit: number }
        Returns: Json
      }
      read_by_others: { Args: { p_room_ids: string[] }; Returns: Json }
      read_jobs: {
        Args: {
          p_limit?: number
          p_queue: string
          p_visibility_seconds?: number
        }
        Returns: Json
      }
      read_messages: { Args: { p_message_ids: string[] }; Returns: string[] }
      register_device: {
        Args: { p_kind?: string; p_platform: string; p_target: string }
        Returns: undefined
      }
      remove_organization_member: {
        Args: { p_organization_id: string; p_user_id: string }
        Returns: undefined
      }
      remove_reaction: {
        Args: { p_emoji: string; p_message_id: string }
        Returns: Json
      }
      remove_room_member: {
        Args: { p_room_id: string; p_user_id: string }
        Returns: Json
      }
      renew_guest_code: { Args: { p_stay_id: string }; Returns: Json }
      report_message: {
        Args: { p_message_id: string; p_reason: string }
        Returns: undefined
      }
      revoke_encryption_key: {
        Args: { p_device_id: string; p_key_id: string }
        Returns: undefined
      }
      room_attachments: { Args: { p_room_id: string }; Returns: Json }
      room_permissions: { Args: { p_room_id: string }; Returns: Json }
      search_messages: {
        Args: {
          p_before?: string
          p_before_id?: string
          p_limit?: number
          p_organization_id?: string
          p_query: string
          p_room_id?: string
        }
        Returns: Json
      }
      search_users: {
        Args: { p_limit?: number; p_query: string }
        Returns: Json
      }
      send_message: {
        Args: {
          p_attachment_ids?: string[]
          p_client_id?: string
          p_content?: string
          p_encrypted_content?: string
          p_encryption_key_id?: string
          p_message_type?: string
          p_metadata?: Json
          p_reply_to_id?: string
          p_room_id: string
        }
        Returns: Json
      }
      set_member_role: {
        Args: { p_role: string; p_room_id: string; p_user_id: string }
        Returns: Json
      }
      set_organization_role: {
        Args: { p_organization_id: string; p_role: string; p_user_id: string }
        Returns: undefined
      }
      staff_rooms: {
        Args: {
          p_archived?: boolean
          p_backwards?: boolean
          p_from?: string
          p_from_id?: string
          p_limit?: number
          p_offset?: number
          p_organization_id: string
          p_query?: string
          p_type?: string
          p_unread?: boolean
        }
        Returns: Json
      }
      start_direct_chat: {
        Args: {
          p_content?: string
          p_organization_id?: string
          p_product_id?: string
          p_user_id: string
        }
        Returns: Json
      }
      sync_messages: {
        Args: { p_cursors?: Json; p_limit?: number }
        Returns: Json
      }
      toggle_reaction: {
        Args: { p_emoji: string; p_message_id: string }
        Returns: Json
      }
      track_download: {
        Args: {
          p_attachment_ids: string[]
          p_downloaded_at?: string
          p_message_id: string
        }
        Returns: undefined
      }
      unblock_user: { Args: { p_user_id: string }; Returns: undefined }
      undo_delete_message: { Args: { p_message_id: string }; Returns: Json }
      unknown_files: {
        Args: { p_public_ids: string[]; p_resource_type: string }
        Returns: string[]
      }
      unread_counts: {
        Args: { p_organization_id?: string; p_room_id?: string }
        Returns: Json
      }
      unregister_device: { Args: { p_target: string }; Returns: undefined }
      upload_encryption_key: {
        Args: {
          p_device_id: string
          p_expires_at?: string
          p_key_id: string
          p_public_key: string
        }
        Returns: Json
      }
      verify_attachment: {
        Args: {
          p_attachment_id: string
          p_mime_type: string
          p_size_bytes: number
        }
        Returns: Json
      }
      verify_encryption_key: {
        Args: { p_fingerprint: string; p_key_id: string; p_user_id: string }
        Returns: undefined
      }
    }
    Enums: {
      chat_room_role: "owner" | "admin" | "member"
      chat_room_type: "direct" | "group" | "guest"
      media_provider: "cloudinary" | "supabase"
      media_state:
        | "pending"
        | "verified"
        | "attached"
        | "delete_requested"
        | "gone"
      organization_role: "admin" | "manager" | "staff"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  public: {
    Enums: {
      chat_room_role: ["owner", "admin", "member"],
      chat_room_type: ["direct", "group", "guest"],
      media_provider: ["cloudinary", "supabase"],
      media_state: [
        "pending",
        "verified",
        "attached",
        "delete_requested",
        "gone",
      ],
      organization_role: ["admin", "manager", "staff"],
    },
  },
} as const
