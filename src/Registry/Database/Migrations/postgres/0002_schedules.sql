-- Slots of schedules whose work is done, so that a command sent twice does nothing new.
CREATE TABLE schedule_slots (
    schedule TEXT NOT NULL,
    slot BIGINT NOT NULL,                    -- when it was due, whole seconds
    done_at BIGINT NOT NULL,
    PRIMARY KEY (schedule, slot)
);
